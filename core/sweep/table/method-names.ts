/** What a name of a method means: one that is here, one of the field that is not, or nothing. */
import {elsewhere} from '../../method/elsewhere.ts';
import {type MethodName, methods} from '../../method/methods.ts';
import {namesOf} from './field.ts';
import {nearest} from './suggest.ts';

/** The methods here come first: of two names that are equally near, theirs is meant. */
const names = new Map([...namesOf(methods), ...namesOf(elsewhere)]);

/** What is probably meant. */
export interface MeantMethod {
  /** It is here, under this name. */
  here?: MethodName;
  /** A sentence on a method that is not here, without its full stop. */
  elsewhere?: string;
}

/** A method of the field that is not here is never taken for another one. */
export function methodMeant(word: string): MeantMethod {
  // LoRA+ is another method than LoRA, and the 3 of IA³ is one.
  const meant = nearest(word.normalize('NFKD').replaceAll('+', 'plus'), names);
  if (meant === undefined) return {};
  if (Object.hasOwn(methods, meant)) return {here: meant as MethodName};
  const {why, kin} = elsewhere[meant]!;
  return {
    elsewhere: `${meant} is a method of its own, which is not here: it ${why}. Its nearest kin here is '${kin}', which is another experiment`,
  };
}
