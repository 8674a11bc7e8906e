import {setTimeout as sleep} from 'node:timers/promises';

/** The first sight of something takes a workbench ten seconds; a busy machine three times as long. */
export const patience = 40_000;

/** Looks again and again until `look` finds something. @throws Error that says what was never seen, and what was */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined | false>,
  milliseconds = patience,
): Promise<Found> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`${what}: not seen within ${milliseconds / 1000} s`);
    await sleep(100);
  }
}
