/** What stands in a run folder, by name. */

/** The truth: append-only, one event a line. */
export const eventsName = 'events.jsonl';
export const manifestName = 'manifest.json';
export const lockName = 'run.lock';

/** Of a run folder: model folders by trial, where whole weights were trained. */
export const modelsName = 'models';
