/** What the commands of README say when all is well: how a command begins → what its output must hold. */
const expected: Record<string, RegExp[]> = {
  'npm ci && npm run demo': [/method +best rate +how found +mean ± std/, /Written: .*report\.html/],
  'npm ci && npm test': [/\n\d+ passed, 0 failed\s*$/],
  'npm run build': [],
  'npm pack': [/lora-sweep-\d+\.\d+\.\d+\.tgz/],
  'npm install -g': [/added 1 package/],
  'lora-sweep --version': [/^\d+\.\d+\.\d+\s*$/],
  'npx lora-sweep fetch': [/ is in .*snapshots/],
  'npx lora-sweep check': [/^(?!.*error)/s],
  'npx lora-sweep plan': [/lora-r8-b16-lr1\.00e-5-s1/, /195 trials/],
  'npx lora-sweep run first.sweep.yaml  ': [/\d+ of 195 trials finished/, /method +best rate +how found +mean ± std/],
  'npx lora-sweep run first.sweep.yaml --only method=lora --out long --detach': [/goes on in .*long \(process \d+\)/],
  'npx lora-sweep status': [/^first is (running|finished): /m],
  'npx lora-sweep cancel': [/The run has stopped|Nothing runs in/],
  'npx lora-sweep attach': [/\d+ of 195 trials finished/],
  'npx lora-sweep run first.sweep.yaml --only state=failed': [/no trial of this sweep has state failed; they are/],
  'npx lora-sweep run first.sweep.yaml --only trial=': [/\d+ of 195 trials finished/],
  'npx lora-sweep report': [/Written: .*report\.html and .*report\.md/],
  'npx lora-sweep export .lora-sweep/first --best': [/best/],
  'npx lora-sweep export .lora-sweep/first --to csv': [/Written to .*csv: .*steps \(\d+\)/],
  'npx lora-sweep export .lora-sweep/first --to tensorboard': [/Written to .*: \d+ trials for TensorBoard/],
  'npx lora-sweep push': [/Nothing is sent/, /would go to my-team\/my-adapter as adapter/, /## Record/],
  'npx lora-sweep figures': [/Written to .*figures: \d+ figures as SVG and PNG, \d+ tables/],
  'npx lora-sweep tune': [
    /This takes about \d+ %.* of the grid's steps/,
    /The best rate of lora is \S+.*: exact-match accuracy [\d.]+ %/,
    / written to .*tuned as a LoRA adapter of rank 8 for /,
    /lora-sweep generate --model .* --adapter .*tuned --prompt/,
  ],
  'npx lora-sweep probe': [/Curvature at the start/],
};

/** Commands that have nothing to do after those before them, and say so. */
const refused = ['npx lora-sweep run first.sweep.yaml --only state=failed'];

export function statusOf(command: string): number {
  return refused.some(beginning => command.startsWith(beginning)) ? 1 : 0;
}

/** What a command must say; a command that is not known must end well, whatever it says. */
export function expectedOf(command: string): RegExp[] {
  const known = Object.keys(expected).filter(beginning => command.startsWith(beginning));
  return known.flatMap(beginning => expected[beginning] ?? []);
}
