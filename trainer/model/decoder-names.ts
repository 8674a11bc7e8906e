/** Names of modules and tensors in models whose decoder is one part of several, such as Gemma 3 with its eyes. */

/** Of files: transformers 4.51 and before, later versions, and the head of either. */
const prefixes: readonly (readonly [whole: string, decoder: string])[] = [
  ['language_model.model.', 'model.'],
  ['model.language_model.', 'model.'],
  ['language_model.lm_head.', 'lm_head.'],
];

/** The decoder's own name of a module or tensor, as it would be if nothing else were there. */
export function decoderName(name: string): string {
  const [whole, decoder] = prefixes.find(([prefix]) => name.startsWith(prefix)) ?? ['', ''];
  return decoder + name.slice(whole.length);
}

/** The name of a decoder's module in a model that has the decoder under `modulePath`. */
export function moduleName(name: string, modulePath: string): string {
  return name.startsWith('model.') ? `${modulePath}${name.slice('model'.length)}` : name;
}
