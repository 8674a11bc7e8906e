import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';
import {findLargeFunctions, largeFunctions} from './functions.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Functions that may be larger, and why. */
const exceptions: Readonly<Record<string, string>> = {
  'test/trainer/hub/hub-server.ts openHubServer': 'the mock of a protocol: routes and faults stand together',
};

const lines = (count: number) => Array.from({length: count}, (_, i) => `  f(${i});`).join('\n');

it('no function has more than 60 lines or 6 parameters but those with a reason', async () => {
  const large = await findLargeFunctions(root);
  const unexplained = large.filter(({place}) => exceptions[place] === undefined);
  expect(unexplained).toEqual([]);
  const needless = Object.keys(exceptions).filter(place => large.every(one => one.place !== place));
  expect(needless, 'what is small enough needs no reason').toEqual([]);
});

it('finds functions of every kind, by name', () => {
  const found = (text: string) => largeFunctions('a.ts', text).map(({place}) => place);
  expect(found(`function long() {\n${lines(59)}\n}`)).toEqual(['a.ts long']);
  expect(found(`const long = () => {\n${lines(59)}\n};`)).toEqual(['a.ts long']);
  expect(found(`class A {\n#long() {\n${lines(59)}\n}\n}`)).toEqual(['a.ts long']);
  expect(found(`const a = {long() {\n${lines(59)}\n}};`)).toEqual(['a.ts long']);
  expect(found(`it('does', () => {\n${lines(59)}\n});`)).toEqual(['a.ts it']);
  expect(found('const wide = (a, b, c, d, e, f, g) => a;')).toEqual(['a.ts wide']);
});

it('lets what is just small enough pass, and lists of tests', () => {
  const found = (text: string) => largeFunctions('a.ts', text);
  expect(found(`function small(a, b, c, d, e, f) {\n${lines(58)}\n}`)).toEqual([]);
  expect(found(`describe.runIf(here)('all', () => {\n${lines(59)}\n});`)).toEqual([]);
});
