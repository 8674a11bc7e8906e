/** What stands in a run folder, by name. */

/** The truth: append-only, one event a line. */
export const eventsName = 'events.jsonl';
export const manifestName = 'manifest.json';
