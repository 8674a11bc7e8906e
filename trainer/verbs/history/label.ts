/** `label`: the name, note and tags of a run, and whether it is put away. */
import type {Command} from 'commander';
import {SweepError} from '../../../core/error.ts';
import type {About} from '../../../core/run/history/about.ts';
import {collectWords} from '../shared/arguments.ts';
import {print} from '../shared/terminal.ts';

interface LabelFlags {
  name?: string;
  note?: string;
  tag: string[];
  untag: string[];
  archive?: true;
  unarchive?: true;
  json?: true;
}

export function labelVerb(program: Command): void {
  program
    .command('label')
    .description('name a run, note something beside it, tag it, or put it away; without options: what is said of it')
    .argument('<dir>', 'run folder')
    .option('--name <text>', 'what lists call it; an empty one takes it back')
    .option('--note <text>', 'some words about it; empty ones take them back')
    .option('--tag <tag>', 'one more tag; may be repeated', collectWords, [])
    .option('--untag <tag>', 'a tag less; may be repeated', collectWords, [])
    .option('--archive', 'lists leave it out unless they are asked for all')
    .option('--unarchive', 'lists have it again')
    .option('--json', '{"name", "note", "tags", "archived"}')
    .action(label);
}

async function label(folder: string, flags: LabelFlags): Promise<void> {
  const {archive, unarchive, json} = flags;
  if (archive && unarchive)
    throw new SweepError('usage', '--archive and --unarchive: one puts away what the other takes back; leave one out.');
  const {writeAbout, aboutOf} = await import('../../store/history/about-file.ts');
  const {refuseNoRun} = await import('../../store/run.ts');
  refuseNoRun(folder);
  const {json: _, ...given} = flags;
  const changes = Object.values(given).some(value => (Array.isArray(value) ? value.length > 0 : value !== undefined));
  const about = changes ? writeAbout(folder, before => changed(before, flags)) : aboutOf(folder);
  await print(json ? [JSON.stringify(about)] : inWords(about), json ? 'json' : 'text');
}

function changed(before: About, {name, note, tag, untag, archive, unarchive}: LabelFlags): About {
  const tags = [...new Set([...before.tags, ...tag])].filter(one => !untag.includes(one));
  const archived = archive === true || (before.archived && unarchive !== true);
  return {name: name ?? before.name, note: note ?? before.note, tags, archived};
}

function inWords({name, note, tags, archived}: About): string[] {
  return [
    `name: ${name || '–'}`,
    `tags: ${tags.join(', ') || '–'}`,
    ...(archived ? ['archived'] : []),
    ...(note === '' ? [] : ['', note]),
  ];
}
