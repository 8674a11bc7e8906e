/**
 * Profiles: what a user's cluster wants of every job (partition, account, set-up lines), in `profiles.yaml` of the user's
 * configuration folder. Set-up lines are shell, so that they are read from nowhere else but the command line.
 */
import {join} from 'node:path';
import envPaths from 'env-paths';
import {parseDocument} from 'yaml';
import {SweepError} from '../../core/error.ts';
import type {Profile} from '../../core/run/tasks/submission.ts';
import {nearest} from '../../core/sweep/table/suggest.ts';
import {readText} from '../files/door.ts';
import {isObject} from '../files/json-file.ts';
import {systemCode} from '../files/write-whole.ts';
import {checkOptions, type JobOptions, type OptionKey, optionKeys, optionNames, optionWords} from './options.ts';

const mostProfileBytes = 1 << 20;

/** The profile that is taken where none is named and there is one. */
const usual = 'default';

/** `$XDG_CONFIG_HOME/lora-sweep/profiles.yaml`, or the system's place for configurations. */
export function profilesFile(): string {
  const {XDG_CONFIG_HOME: given} = process.env;
  return join(given ? join(given, 'lora-sweep') : envPaths('lora-sweep', {suffix: ''}).config, 'profiles.yaml');
}

/** Keys of a profile as they are written, with what they say. */
const keys: ReadonlyMap<string, OptionKey | 'setup' | 'sbatch'> = new Map([
  ...optionKeys.map(key => [optionNames[key].replace('-', '_'), key] as const),
  ['setup', 'setup'],
  ['sbatch', 'sbatch'],
]);

/**
 * The profile of this name, `default` where none is asked for; undefined where there is no such default.
 * @throws SweepError `bad-profile` for a file that is none, `no-profile` for a name that it does not have
 */
export function readProfile(name: string | undefined, file = profilesFile()): JobOptions | undefined {
  const profiles = readProfiles(file);
  const found = profiles && Object.hasOwn(profiles, name ?? usual) ? profiles[name ?? usual] : undefined;
  if (profiles === undefined || found === undefined) {
    if (name === undefined) return undefined;
    throw noProfile(name, Object.keys(profiles ?? {}), profiles === undefined, file);
  }
  return profileOf(found, `${file}: profile ${name ?? usual}`);
}

/** What there is to choose from, each as words of a command line; empty where there is no file. @throws SweepError `bad-profile` */
export function listProfiles(file = profilesFile()): Profile[] {
  return Object.entries(readProfiles(file) ?? {}).map(([name, value]) => {
    const options = profileOf(value, `${file}: profile ${name}`);
    return {name, options: optionWords(options)};
  });
}

function readProfiles(file: string): Record<string, unknown> | undefined {
  let text: string;
  try {
    text = readText(file, mostProfileBytes);
  } catch (error) {
    if (error instanceof SweepError) throw error;
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return undefined;
    throw new SweepError('bad-profile', `${file} cannot be read (${systemCode(error)}).`);
  }
  const document = parseDocument(text, {prettyErrors: false});
  const [fault] = document.errors;
  if (fault) {
    const line = text.slice(0, fault.pos[0]).split('\n').length;
    throw new SweepError('bad-profile', `${file}:${line}: ${fault.message}`);
  }
  const value: unknown = document.toJS({maxAliasCount: 100});
  if (value === null || value === undefined) return {};
  if (!isObject(value))
    throw new SweepError(
      'bad-profile',
      `${file}: write a name and its options below it, e.g. "default: {partition: gpu}".`,
    );
  return value;
}

function noProfile(name: string, names: string[], isMissing: boolean, file: string): SweepError {
  if (isMissing)
    return new SweepError(
      'no-profile',
      `There is no profile ${name}: ${file} does not exist; docs/clusters.md says what to write there.`,
    );
  const near = nearest(name, new Map(names.map(known => [known, []])));
  const hint = near ? `did you mean ${near}?` : names.length > 0 ? `it has ${names.join(', ')}.` : 'it is empty.';
  return new SweepError('no-profile', `There is no profile ${name} in ${file}; ${hint}`);
}

function profileOf(value: unknown, where: string): JobOptions {
  if (value !== null && !isObject(value))
    throw new SweepError('bad-profile', `${where}: write its options as key: value.`);
  const options: JobOptions = {setup: [], sbatch: []};
  for (const [written, given] of Object.entries(value ?? {})) {
    const key = keys.get(written.replaceAll('-', '_'));
    if (key === undefined) throw unknownKey(written, where);
    Object.assign(options, {[key]: optionOf(key, given, `${where}: ${written}`)});
  }
  try {
    return checkOptions(options);
  } catch (error) {
    if (error instanceof SweepError) throw new SweepError('bad-profile', `${where}: ${error.message}`);
    throw error;
  }
}

function unknownKey(written: string, where: string): SweepError {
  const near = nearest(written, new Map([...keys.keys()].map(known => [known, others[known] ?? []])));
  const hint = near ? `did you mean ${near}?` : `it may have ${[...keys.keys()].join(', ')}.`;
  return new SweepError('bad-profile', `${where} has an unknown key ${written}; ${hint}`);
}

/** What other programs call them. */
const others: Readonly<Record<string, readonly string[]>> = {
  partition: ['queue'],
  time: ['walltime', 'timeout', 'timelimit'],
  cpus: ['cpus_per_task', 'cores'],
  gpus: ['gres', 'gpus_per_node'],
  mem: ['memory', 'mem_gb'],
  setup: ['modules', 'prologue'],
  array_limit: ['array_parallelism', 'max_parallel'],
};

function optionOf(key: OptionKey | 'setup' | 'sbatch', value: unknown, where: string): string | number | string[] {
  if (key === 'setup' || key === 'sbatch') {
    const lines = Array.isArray(value) ? value : typeof value === 'string' ? value.trimEnd().split('\n') : [value];
    if (lines.every(line => typeof line === 'string')) return lines;
    throw new SweepError('bad-profile', `${where}: write a line of text, or a list of them.`);
  }
  if (key === 'cpus' || key === 'arrayLimit') {
    if (typeof value === 'number') return value;
    throw new SweepError('bad-profile', `${where}: write a whole number from 1.`);
  }
  if (typeof value === 'string') return value;
  // `gpus: 1`; a time of days and hours is text in YAML, but minutes alone are a number.
  if (typeof value === 'number') return String(value);
  throw new SweepError('bad-profile', `${where}: write one value.`);
}

/** What the command line says, over what the profile says; lines of both, the profile's first. */
export function overProfile(profile: JobOptions | undefined, given: JobOptions): JobOptions {
  if (!profile) return given;
  return {
    ...profile,
    ...given,
    setup: [...profile.setup, ...given.setup],
    sbatch: [...profile.sbatch, ...given.sbatch],
  };
}
