/** What a name of a method means: one that is here, one of the field that is not, or nothing. */
import {elsewhere} from '../../method/elsewhere.ts';
import {type MethodName, methods} from '../../method/methods.ts';
import {namesOf} from './field.ts';
import {nearest} from './suggest.ts';

/** LoRA+ is another method than LoRA, and the 3 of IA³ is one. */
const plain = (word: string): string => word.normalize('NFKD').replaceAll('+', 'plus');

/** The methods here come first: of two names that are equally near, theirs is meant. */
const names = new Map(
  [...namesOf(methods), ...namesOf(elsewhere)].map(([name, others]) => [name, [plain(name), ...others]]),
);

/** What is probably meant. */
export interface MeantMethod {
  /** It is here, under this name. */
  here?: MethodName;
  /** A sentence on a method that is not here, without its full stop. */
  elsewhere?: string;
}

/** A method of the field that is not here is never taken for another one. */
export function methodMeant(word: string): MeantMethod {
  const meant = nearest(plain(word), names);
  if (meant === undefined) return {};
  if (Object.hasOwn(methods, meant)) return {here: meant as MethodName};
  const {why, kin, written} = elsewhere[meant]!;
  if (written !== undefined) return {elsewhere: `${meant} ${why}: write '${written}'`};
  return {
    elsewhere: `${meant} is a method of its own, which is not here: it ${why}. Its nearest kin here is '${kin}', which is another experiment`,
  };
}
