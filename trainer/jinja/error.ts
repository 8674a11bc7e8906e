/** What a template cannot be read or rendered for: its own words, or the construct that is at fault. */
export class TemplateError extends Error {
  override name = 'TemplateError';
}

/** Refuses what a template asks for. */
export function refuse(what: string): never {
  throw new TemplateError(what);
}
