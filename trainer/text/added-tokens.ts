/** Tokens that a text is cut at before all others, as the reference (Rust's tokenizers) cuts it; the library (0.2.0) ignores `single_word`. */

/** The parts of the library that are replaced. */
export interface CuttingHub {
  added_tokens_map: Map<string, AddedToken>;
  splitter_unnormalized: Splitter;
  splitter_normalized: Splitter;
}

interface AddedToken {
  /** Not within a word. */
  single_word: boolean;
  /** White space before it, or behind it, belongs to it. */
  lstrip: boolean;
  rstrip: boolean;
}

interface Splitter {
  /** A whole text in sections: added tokens, and what lies between them. */
  split(text: string): string[];
}

const word = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const [startsWithWord, endsWithWord] = [new RegExp(`^${word}`, 'u'), new RegExp(`${word}$`, 'u')];

/** From now on the flags of added tokens are followed. */
export function followFlags(hub: CuttingHub): void {
  // White space is taken away below, by Unicode's property rather than JavaScript's `trim`.
  const flags = new Map([...hub.added_tokens_map].map(([text, {...token}]) => [text, token]));
  for (const token of hub.added_tokens_map.values()) Object.assign(token, {lstrip: false, rstrip: false});
  if (![...flags.values()].some(token => token.single_word || token.lstrip || token.rstrip)) return;
  for (const splitter of [hub.splitter_unnormalized, hub.splitter_normalized]) {
    const split = splitter.split.bind(splitter);
    splitter.split = text => stripped(wholeWords(split(text), flags), flags);
  }
}

/** Sections in which a token within a word is text like its neighbours. */
function wholeWords(sections: readonly string[], flags: ReadonlyMap<string, AddedToken>): string[] {
  const made: string[] = [];
  let isText = false;
  for (const [i, section] of sections.entries()) {
    const token = flags.get(section);
    const within = endsWithWord.test(sections[i - 1] ?? '') || startsWithWord.test(sections[i + 1] ?? '');
    const stays = token && !(token.single_word && within);
    if (isText && !stays) made.push(made.pop()! + section);
    else made.push(section);
    isText = !stays;
  }
  return made;
}

function stripped(sections: readonly string[], flags: ReadonlyMap<string, AddedToken>): string[] {
  return sections.map((section, i) => {
    if (flags.has(section)) return section;
    let text = section;
    if (flags.get(sections[i + 1] ?? '')?.lstrip) text = text.replace(/\p{White_Space}+$/u, '');
    if (flags.get(sections[i - 1] ?? '')?.rstrip) text = text.replace(/^\p{White_Space}+/u, '');
    return text;
  });
}
