/** What the machine's own python3 says of programs that nobody has to be afraid of. */
import {spawnSync} from 'node:child_process';
import type {HonestProblem} from './programs/honest.ts';

const harness = `
import json, sys
for problem in json.load(sys.stdin):
    space = {"__name__": "program"}
    try:
        exec(problem["trusted"] + "\\n" + problem["program"], space)
        exec(problem["tests"], space)
        verdict = True
    except BaseException:
        verdict = False
    print(json.dumps(verdict), file=sys.stderr)
`;

/** A verdict for each: `exec` of the program, then of the tests, in one space. Undefined where there is no python3. */
export function verdictsOfCpython(problems: readonly HonestProblem[]): boolean[] | undefined {
  const {status, stderr} = spawnSync('python3', ['-c', harness], {input: JSON.stringify(problems), encoding: 'utf8'});
  if (status !== 0) return undefined;
  return stderr
    .trim()
    .split('\n')
    .map(line => line === 'true');
}
