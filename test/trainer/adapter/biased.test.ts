/** IA³ where projections have a bias: PEFT scales it with the outputs, which is not done here, so that it is refused everywhere. */
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {openAdapter} from '../../../trainer/adapter/adapted.ts';
import {writeAdapter} from '../../../trainer/adapter/write-adapter.ts';
import {checkSites} from '../../../trainer/method/check.ts';
import {methods} from '../../../trainer/method/index.ts';
import {openFolder} from '../../../trainer/model/open-model.ts';
import {sitesOf} from '../../../trainer/model/sites.ts';
import {testFolder} from '../test-folder.ts';

const folder = testFolder();
const base = openFolder(fileURLToPath(new URL('../../fixtures/families/llama-biased/', import.meta.url)));
const sites = (targets: string[]) => sitesOf(base.config.layers.length, targets, base.weights);
const form = {rank: 1, scale: 1, options: {}};

/** An adapter as PEFT writes it, of one projection of every layer. */
function adapterOf(target: string): string {
  const path = join(folder, target);
  const own = sites([target]);
  const factors = own.map(site => {
    const [rows, columns] = methods.ia3.shapes(site, form)['l'] as [number, number];
    return [site.name, {l: new Float32Array(rows * columns).fill(2)}] as const;
  });
  const shapes = new Map(own.map(site => [site.name, methods.ia3.shapes(site, form)] as const));
  const of = {kind: 'ia3', rank: 1, alpha: 1, factors: new Map(factors), shapes} as const;
  writeAdapter(path, {base: {model: 'llama', revision: null}, ...of});
  return path;
}

describe('IA³ on projections with a bias', () => {
  it('is refused before it is trained, and where an adapter is read', () => {
    expect(sites(['q_proj']).every(({biased}) => biased)).toBe(true);
    expect(() => checkSites(sites(['q_proj']), methods.ia3, form)).toThrow(
      /q_proj .* has a bias, which IA³ has to scale/,
    );
    expect(() => openAdapter(adapterOf('q_proj'), base)).toThrow(
      /trains model\.layers\.0\.self_attn\.q_proj, which has a bias/,
    );
  });

  it('is neither where inputs are scaled, before the bias is added', () => {
    expect(() => checkSites(sites(['down_proj']), methods.ia3, form)).not.toThrow();
    expect(openAdapter(adapterOf('down_proj'), base).targets).toEqual(['down_proj']);
  });

  it('concerns no other method', () => {
    for (const name of ['lora', 'dora', 'boft', 'oft'] as const)
      expect(
        methods[name].obstacle(sites(['q_proj'])[0]!, {rank: 4, options: {block_size: 4, butterfly_factor: 1}})?.key,
      ).not.toBe('targets');
  });
});
