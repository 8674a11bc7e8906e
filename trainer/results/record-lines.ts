/** The record at the end of a report: what a run was made with, and how to make it again. */
import type {Manifest} from '../store/manifest.ts';

export function recordLines({versions, machine, model, data, seeds, curvature, rerun, starts}: Manifest): string[] {
  const listed = (values: Record<string, string>): string =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  const revision = model.revision ? ` at ${model.revision}` : '';
  const gigabytes = (machine.memoryBytes / 1e9).toFixed(0);
  return [
    '## Record',
    '',
    `- model: ${model.path}${revision}, weights SHA-256 ${model.hash}`,
    ...data.map(({path, hash}) => `- data: ${path}, SHA-256 ${hash}`),
    ...(seeds ? [`- seeds: ${seeds.join(', ')}`] : []),
    ...(curvature ? [`- curvature: ${curvature.samples} rows, blocks probed by Lanczos`] : []),
    `- versions: ${listed(versions)}`,
    `- machine: ${machine.processor}, ${machine.cores} cores, ${gigabytes} GB, ${machine.platform} ${machine.architecture}`,
    `- started: ${starts.map(({at}) => at).join(', ')}`,
    ...(rerun ? [`- again: \`${rerun.command}\``] : []),
    '- every setting after defaults: `manifest.json`; `lora-sweep verify` hashes everything again',
    '',
  ];
}
