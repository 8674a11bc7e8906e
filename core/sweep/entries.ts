/** Names for entries of `evaluate` that have the same task. */
import type {EvaluationSettings} from './sweep.ts';

/**
 * The entries, each of which names what tells it from others of its task: its data's file, the path where files in several
 * folders have that name, and a number where the data is the same. The only entry of a task has no such name.
 */
export function withEntries(evaluations: readonly EvaluationSettings[]): EvaluationSettings[] {
  const [ofTask, ofFile, ofData] = [counter(), counter(), counter()];
  const numbers = evaluations.map(({task, data}) => {
    ofTask.add(task);
    ofFile.add(task, fileName(data));
    return ofData.add(task, data);
  });
  return evaluations.map((one, index) => {
    const {task, data} = one;
    if (ofTask.count(task) === 1) return one;
    const same = ofData.count(task, data);
    const name = ofFile.count(task, fileName(data)) === same ? fileName(data) : data;
    return {...one, entry: same === 1 ? name : `${name}, ${numbers[index]}`};
  });
}

const fileName = (path: string): string => path.split(/[/\\]/).at(-1)!;

function counter() {
  const counts = new Map<string, number>();
  const count = (...key: string[]): number => counts.get(JSON.stringify(key)) ?? 0;
  return {
    count,
    add(...key: string[]): number {
      counts.set(JSON.stringify(key), count(...key) + 1);
      return count(...key);
    },
  };
}
