/** `profiles`: the profiles that `submit --profile` can name. */
import type {Command} from 'commander';
import type {Profiles} from '../../../core/run/tasks/submission.ts';
import {print} from '../shared/terminal.ts';

export function profilesVerb(program: Command): void {
  program
    .command('profiles')
    .description('list the profiles of profiles.yaml in your configuration folder, which submit --profile names')
    .option('--json', '{"file", "profiles": [{"name", "options"}]}')
    .action(async ({json}: {json?: true}) => {
      const {listProfiles, profilesFile} = await import('../../submit/profiles.ts');
      const found: Profiles = {file: profilesFile(), profiles: listProfiles()};
      await print(json ? [JSON.stringify(found)] : inWords(found), json ? 'json' : 'text');
    });
}

function* inWords({file, profiles}: Profiles): Generator<string> {
  yield profiles.length > 0 ? file : `${file} has no profile; docs/clusters.md says what to write there.`;
  for (const {name, options} of profiles) yield `  ${name}  ${options.join(' ')}`.trimEnd();
}
