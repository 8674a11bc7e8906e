/** `schema`: the language as a JSON schema. */
import type {Command} from 'commander';
import {print} from './shared/terminal.ts';

export function schemaVerb(program: Command): void {
  program
    .command('schema')
    .description('print what a sweep file may hold as a JSON schema (draft 07)')
    .action(async () => {
      const {sweepSchema} = await import('../../core/sweep/table/schema.ts');
      await print([JSON.stringify(sweepSchema(), null, 2)], 'json');
    });
}
