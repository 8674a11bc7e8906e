/** Any value of a sweep file. */
export type Free = null | boolean | number | string | Free[] | {[key: string]: Free};
