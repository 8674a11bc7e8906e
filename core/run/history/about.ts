/** What people say of a run: a name, a note, tags, whether it is put away. A small file in the run folder, written whole. */
import {parseJson} from '../../json.ts';
import {flag, listOf, record, text} from '../../shape.ts';

export const aboutName = 'about.json';
/** Bytes of the file; all that may be said has a tenth of this. */
export const mostAboutBytes = 1 << 18;

export interface About {
  /** Empty: it goes by its folder and its date. */
  name: string;
  note: string;
  tags: string[];
  /** Lists leave it out unless they are asked for all. */
  archived: boolean;
}

export const nothingSaid: About = {name: '', note: '', tags: [], archived: false};

const shape = record({name: text, note: text, tags: listOf(text), archived: flag});
const isAbout = (value: unknown): value is About => shape(value);

/** Null where the text is not what such a file holds. */
export function readAbout(json: string): About | null {
  try {
    const value = parseJson(json, aboutName);
    return isAbout(value) && faultOfAbout(value) === null ? value : null;
  } catch {
    return null;
  }
}

export function formatAbout({name, note, tags, archived}: About): string {
  return `${JSON.stringify({name, note, tags, archived}, null, 2)}\n`;
}

const longestName = 100;
const longestTag = 40;
const longestNote = 10_000;
const mostTags = 20;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a line has none of
const isLine = (line: string): boolean => !/[\u0000-\u001f\u007f]/.test(line);

/** What is wrong with it, as the end of a sentence; null where nothing is. */
export function faultOfAbout({name, note, tags}: About): string | null {
  if (!isLine(name) || name.length > longestName) return `a name is one line of at most ${longestName} characters`;
  if (note.length > longestNote) return `a note has at most ${longestNote} characters`;
  if (tags.length > mostTags) return `a run has at most ${mostTags} tags`;
  const isTag = (tag: string) => tag.trim() === tag && tag !== '' && isLine(tag) && !tag.includes(',');
  return tags.every(tag => isTag(tag) && tag.length <= longestTag)
    ? null
    : `a tag is one line of 1 to ${longestTag} characters without a comma`;
}

/** `baseline, 8 bit`: tags as they are typed, each once. */
export function tagsIn(typed: string): string[] {
  return [...new Set(typed.split(',').map(tag => tag.trim()))].filter(tag => tag !== '');
}
