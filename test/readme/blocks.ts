/** The fenced blocks of a Markdown file, as a reader would follow them. */
export interface Block {
  /** The Markdown file. */
  file: string;
  /** Of the opening fence, from 1. */
  line: number;
  /** Behind the opening fence; empty where nothing stands there. */
  language: string;
  text: string;
}

export function blocksOf(file: string, markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: (Block & {lines: string[]}) | undefined;
  for (const [i, line] of markdown.split(/\r?\n/).entries()) {
    const [, language] = /^ {0,3}```(.*)$/.exec(line) ?? [];
    if (language === undefined) open?.lines.push(line);
    else if (open === undefined) open = {file, line: i + 1, language: language.trim(), text: '', lines: []};
    else {
      const {lines, ...block} = open;
      blocks.push({...block, text: lines.join('\n')});
      open = undefined;
    }
  }
  return blocks;
}

/** A block to be typed into a terminal. */
export const isShell = ({language}: Block): boolean => ['', 'sh', 'bash', 'shell', 'console'].includes(language);

/** A sweep file that the text gives: its name is the comment in the first line. */
export function sweepFileOf({language, text}: Block): {name: string; text: string} | undefined {
  const [, name] = language === 'yaml' ? (/^# *(\S+\.sweep\.ya?ml)\s/.exec(`${text}\n`) ?? []) : [];
  return name === undefined ? undefined : {name, text};
}

/** Lines to be typed, one after another; comments are left to the shell. */
export function commandsOf({text}: Block): string[] {
  return text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map(line => line.replace(/^\$ /, '').trim())
    .filter(line => line !== '' && !line.startsWith('#'));
}
