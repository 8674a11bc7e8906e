/**
 * When two answers of MATH are the same: the rules of Hendrycks et al. 2021 (math_equivalence.py), which PiSSA and the study
 * score with. Faults that stop the rules in Python (an index beyond the text, a second unit) stop them here too: then the
 * answers are compared as they stand.
 */

/** Text as Python sees it: by code points. */
function first(text: string): [string, string] {
  const point = text.codePointAt(0);
  if (point === undefined) throw new RangeError('nothing follows');
  const letter = String.fromCodePoint(point);
  return [letter, text.slice(letter.length)];
}

/** `\frac1b`, `\frac12` → `\frac{1}{b}`, `\frac{1}{2}`; `\frac1{72}` too, `\frac{72}1` not. */
function withBracedFractions(text: string): string {
  const [head, ...parts] = text.split('\\frac');
  let result = head!;
  for (const part of parts) {
    const [a, rest] = first(part);
    if (a === '{') result += `\\frac${part}`;
    else if (rest === '') return text;
    else {
      const [b, after] = first(rest);
      result += b === '{' ? `\\frac{${a}}${b}${after}` : `\\frac{${a}}{${b}}${after}`;
    }
  }
  return result;
}

/** `\sqrt3` → `\sqrt{3}`. */
function withBracedRoots(text: string): string {
  const [head, ...parts] = text.split('\\sqrt');
  const braced = parts.map(part => {
    const [a, rest] = first(part);
    return a === '{' ? `\\sqrt${part}` : `\\sqrt{${a}}${rest}`;
  });
  return head + braced.join('');
}

/** What follows `\text{ ` is a unit. */
function withoutUnit(text: string): string {
  const parts = text.split('\\text{ ');
  if (parts.length > 2) throw new RangeError('two units');
  return parts[0]!;
}

/** `1/2` → `\frac{1}{2}`, for whole numbers written plainly. */
function fractionOf(text: string): string {
  const [, a, b] = /^(0|-?[1-9]\d*)\/(0|-?[1-9]\d*)$/.exec(text) ?? [];
  return a === undefined ? text : `\\frac{${a}}{${b}}`;
}

/**
 * An answer in the form in which it is compared.
 * @throws RangeError where the rules do not apply
 */
export function normalForm(answer: string): string {
  let text = answer
    .replaceAll('\n', '')
    .replaceAll('\\!', '')
    .replaceAll('\\\\', '\\')
    .replaceAll('tfrac', 'frac')
    .replaceAll('dfrac', 'frac')
    .replaceAll('\\left', '')
    .replaceAll('\\right', '')
    .replaceAll('^{\\circ}', '')
    .replaceAll('^\\circ', '')
    .replaceAll('\\$', '');
  text = withoutUnit(text).replaceAll('\\%', '').replaceAll('%', '').replaceAll(' .', ' 0.').replaceAll('{.', '{0.');
  if (text === '') return text;
  if (text.startsWith('.')) text = `0${text}`;
  const sides = text.split('=');
  if (sides.length === 2 && [...sides[0]!].length <= 2) text = sides[1]!;
  text = withBracedFractions(withBracedRoots(text).replaceAll(' ', ''));
  return fractionOf(text === '0.5' ? '\\frac{1}{2}' : text);
}

export function sameAnswer(a: string, b: string): boolean {
  try {
    return normalForm(a) === normalForm(b);
  } catch (error) {
    if (error instanceof RangeError) return a === b;
    throw error;
  }
}

/** What stands in the last `\boxed{…}` or `\fbox{…}` (dataset/util.py of Hendrycks et al.); null without one. */
export function boxedAnswer(text: string): string | null {
  const boxed = text.lastIndexOf('\\boxed');
  const from = boxed < 0 ? text.lastIndexOf('\\fbox') : boxed;
  if (from < 0) return null;
  const after = text.slice(from).replace(/^\\[a-z]+/, '');
  if (after.startsWith(' ')) return after.slice(1).split('$')[0]!;
  let open = 0;
  for (let at = 0; at < after.length; at++) {
    if (after[at] === '{') open++;
    if (after[at] === '}' && --open === 0) return after.slice(after.indexOf('{') + 1, at);
  }
  return null;
}
