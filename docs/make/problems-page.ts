/** docs/problems.md: its text is written by hand, its lists are made of the tables. */
import {methodNames} from '../../core/method/methods.ts';

const lists: Readonly<Record<string, () => string>> = {
  methods: () => methodNames.map(name => `\`${name}\``).join(', '),
};

/** The page with every list between `<!-- NAME -->` and `<!-- end -->` made anew. @throws Error for a list that has no name here */
export function problemsPage(page: string): string {
  return page.replace(/<!-- ([a-z]+) -->.*?<!-- end -->/gs, (_, name: string) => {
    const list = lists[name];
    if (!list)
      throw new Error(`docs/problems.md asks for the list ${name}; there are ${Object.keys(lists).join(', ')}.`);
    return `<!-- ${name} -->${list()}<!-- end -->`;
  });
}
