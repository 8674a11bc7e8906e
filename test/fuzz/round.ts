/** Mutations of one format through its reader: what came of them. */
import {type FuzzFormat, fuzzFolder} from './formats.ts';
import {mutated} from './mutate.ts';

export interface Round {
  format: string;
  mutations: number;
  /** Taken, and refused with a sentence. */
  taken: number;
  refused: number;
  /** Anything else that was thrown, with the number of the mutation. */
  faults: {seed: number; error: string}[];
  /** Rejections that nobody waited for. */
  unhandled: number;
  /** Seconds of processor time of the slowest mutation, and its number. */
  slowest: number;
  slowestSeed: number;
}

/** @param told hears of the mutation that is about to be read */
export async function fuzz(format: FuzzFormat, from: number, to: number, told: (seed: number) => void): Promise<Round> {
  const {folder, done} = fuzzFolder();
  const read = format.reader(folder);
  const round: Round = {
    ...{format: format.name, mutations: to - from, taken: 0, refused: 0},
    ...{faults: [], unhandled: 0, slowest: 0, slowestSeed: -1},
  };
  const onRejection = () => {
    round.unhandled++;
  };
  process.on('unhandledRejection', onRejection);
  try {
    for (let seed = from; seed < to; seed++) {
      told(seed);
      const bytes = mutated(format.name, seed, format.sources);
      const began = process.cpuUsage();
      try {
        await read(bytes);
        round.taken++;
      } catch (error) {
        if (error instanceof Error && error.name === 'SweepError') round.refused++;
        else round.faults.push({seed, error: error instanceof Error ? (error.stack ?? error.message) : String(error)});
      }
      const {user, system} = process.cpuUsage(began);
      const seconds = (user + system) / 1e6;
      if (seconds > round.slowest) [round.slowest, round.slowestSeed] = [seconds, seed];
    }
    // Rejections are told of a turn later.
    await new Promise(resolve => setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', onRejection);
    done();
  }
  return round;
}
