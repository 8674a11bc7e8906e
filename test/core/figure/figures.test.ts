/** Figures for papers: nothing overlaps, nothing is too small, and methods are told apart whatever the reader sees of colours. */
import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import type {Figure} from '../../../core/figure/each.ts';
import {figuresOf} from '../../../core/figure/figures.ts';
import {looksOf, methodMarkers, rateStops} from '../../../core/figure/looks.ts';
import {type Box, markerBox, overlap, type Shape, smallest, textBox} from '../../../core/figure/scene.ts';
import {svgOf} from '../../../core/figure/svg.ts';
import {arimoWidths} from '../../../core/figure/text-widths.ts';
import {methodNames, methods} from '../../../core/method/methods.ts';
import {curvatureTables, median} from '../../../core/run/compare/curvature.ts';
import {emptyRun, foldAll, type RunState} from '../../../core/run/fold.ts';
import {publishedEvents} from '../../../core/run/published/events.ts';
import {methodShape} from '../../../webviews/theme/palette.ts';
import {toyEvents} from '../run/toy-run.ts';
import {fontWidths} from './font.ts';
import {arimo, distance, textsOf, visions} from './measure.ts';
import {grid, richRun} from './rich-run.ts';

const column = 3.3 * 72;
const fiveMethods = ['lora', 'pissa', 'milora', 'init-ab', 'dora'];

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8'));

function published(name: string): RunState {
  const events = publishedEvents(fixture(name), 'paper', name);
  return foldAll(
    emptyRun,
    events.map((body, k) => ({...body, at: k})),
  );
}

const runs: [string, RunState, number][] = [
  ["the study's published results", published('paper-results.json'), column],
  ["the study's published curvature", published('paper-hessian.json'), column],
  ['the toy sweep', foldAll(emptyRun, toyEvents()), column],
  ['five methods under many conditions', richRun({methods: fiveMethods}), column],
  ['every method at once', richRun({ranks: [8], batchSizes: [16], decays: ['0']}), column],
  ['thirty rates', richRun({methods: fiveMethods, rates: grid(1e-7, 30), batchSizes: [16], decays: ['0']}), column],
  [
    'one method at one rate',
    richRun({methods: ['lora'], ranks: [8], batchSizes: [16], decays: ['0'], rates: [1e-4], seeds: [1]}),
    column,
  ],
  ['two columns of a page', richRun({methods: fiveMethods, batchSizes: [16], decays: ['0']}), 6.75 * 72],
  ['the narrowest column', richRun({methods: fiveMethods, batchSizes: [16], decays: ['0']}), 2 * 72],
];

const inside = (box: Box, {width, height}: {width: number; height: number}, by = 0.2): boolean =>
  box.x >= -by && box.y >= -by && box.x + box.width <= width + by && box.y + box.height <= height + by;

const texts = (shapes: readonly Shape[]) => shapes.filter(shape => shape.kind === 'text');

/** Pairs that overlap, as words. */
function collisions(boxes: readonly {name: string; box: Box}[]): string[] {
  return boxes.flatMap((one, k) =>
    boxes.slice(k + 1).flatMap(other => (overlap(one.box, other.box) ? [`${one.name} on ${other.name}`] : [])),
  );
}

describe.each(runs)('figures of %s', (_, state, width) => {
  const {figures} = figuresOf(state, width);

  it('have no text below 7 pt, none beyond the edge and none upon another', () => {
    expect(figures.length).toBeGreaterThan(0);
    for (const {name, scene} of figures) {
      const boxes = texts(scene.shapes).map(text => ({name: text.text, box: textBox(text), size: text.size}));
      expect(
        boxes.filter(({size}) => size < smallest),
        name,
      ).toEqual([]);
      expect(
        boxes.filter(({box}) => !inside(box, scene)).map(one => one.name),
        name,
      ).toEqual([]);
      expect(collisions(boxes), name).toEqual([]);
    }
  });

  it('have texts where the renderer draws them', () => {
    for (const {name, scene, title} of figures.slice(0, 12)) {
      const drawn = textsOf(svgOf(scene, title));
      const planned = texts(scene.shapes).filter(({text}) => text.trim() !== '');
      expect(drawn.length, name).toBe(planned.length);
      drawn.forEach(({box, text}, k) => {
        const own = textBox(planned[k]!);
        // Letters may lean a little over their widths.
        const around = {x: own.x - 0.6, y: own.y - 0.6, width: own.width + 1.2, height: own.height + 1.2};
        const isWithin =
          box.x >= around.x &&
          box.y >= around.y &&
          box.x + box.width <= around.x + around.width &&
          box.y + box.height <= around.y + around.height;
        expect(isWithin, `${name}: ${text}`).toBe(true);
      });
    }
  });

  it('have no marker under a text', () => {
    for (const {name, scene} of figures) {
      const boxes = texts(scene.shapes).map(text => ({text: text.text, box: textBox(text)}));
      const hidden = scene.shapes.flatMap(shape =>
        shape.kind === 'marker' ? boxes.filter(({box}) => overlap(box, markerBox(shape))).map(({text}) => text) : [],
      );
      expect(hidden, name).toEqual([]);
    }
  });

  it('name methods by their titles', () => {
    for (const {scene, title, caption} of figures) {
      const words = [title, caption, ...texts(scene.shapes).map(({text}) => text)].join('\n');
      for (const name of methodNames)
        if (methods[name].title !== name) expect(words).not.toMatch(new RegExp(`(^|[\\s(])${name}(?![\\w-])`, 'm'));
    }
  });

  it('give each file one name', () => {
    expect(new Set(figures.map(({name}) => name)).size).toBe(figures.length);
  });
});

describe("the study's curvature", () => {
  const {figures} = figuresOf(published('paper-hessian.json'), column);
  const {curvature_rows: rows, ratio_medians: medians} = fixture('paper-hessian.json') as {
    curvature_rows: {method: string; module: string; layer: number; lambda_max: number}[];
    ratio_medians: Record<string, number>;
  };
  const shapesOf = (name: string) => figures.find(one => one.name.startsWith(name))!.scene.shapes;
  const titles = ['LoRA', 'InitAB', 'MiLoRA', 'PiSSA', 'OLoRA', 'LoRA-GA'];

  it.each(['q_proj', 'k_proj'])('stands as printed in a heat map of %s: six starts over 28 layers', module => {
    const shapes = shapesOf(`lambda-${module.replace('_', '-')}`);
    const cells = shapes.flatMap((shape, k) => {
      const next = shapes[k + 1];
      return shape.kind === 'rectangle' && shape.stroke === '#ffffff' && next?.kind === 'text' ? [next] : [];
    });
    const lines = [...new Set(cells.map(({at}) => at[1]))].sort((a, b) => a - b);
    const drawn = lines.map(line =>
      cells
        .filter(({at}) => at[1] === line)
        .toSorted((a, b) => a.at[0] - b.at[0])
        .map(({text}) => Number(text)),
    );
    const printed = Array.from({length: 28}, (_, layer) =>
      titles.map(title => {
        const row = rows.find(one => one.method === title && one.module === module && one.layer === layer)!;
        return Number(row.lambda_max.toPrecision(2));
      }),
    );
    expect(drawn).toEqual(printed);
  });

  it("has the medians of the study's own figure, as far as one decimal tells", () => {
    const blocks = shapesOf('lambda-blocks-q-proj');
    expect(blocks.filter(({kind}) => kind === 'marker')).toHaveLength(titles.length * 28);
    const values = (title: string): number[] =>
      rows.filter(({method, module}) => method === title && module === 'q_proj').map(({lambda_max}) => lambda_max);
    const loras = values('LoRA');
    for (const title of titles.slice(1)) {
      const [least, most] = [-0.05, 0.05].map(
        by => median(values(title).map((value, layer) => (value + by) / (loras[layer]! - by)))!,
      );
      expect(medians[title], title).toBeGreaterThan(least!);
      expect(medians[title], title).toBeLessThan(most!);
    }
  });

  it('leaves open what is not published', () => {
    const [table] = curvatureTables(published('paper-hessian.json'));
    expect(table!.rows.map(([name, , , lambdaMin]) => [name, lambdaMin])).toEqual(
      ['lora', 'init-ab', 'milora', 'pissa', 'olora', 'lora-ga'].map(name => [name, '–']),
    );
  });
});

describe('methods in figures', () => {
  it('are told apart by marker or dashes alone', () => {
    const looks = [...looksOf([...methodNames, 'lora-attention', 'lora-attention-only', 'b', 'c', 'd']).values()];
    const kinds = looks.map(({marker, dash}) => `${marker} ${dash.join(' ')}`);
    expect(new Set(kinds).size).toBe(kinds.length);
  });

  it('have colours that are apart for every kind of colour vision where they share a marker', () => {
    const looks = [...looksOf(methodNames)];
    for (const [name, look] of looks)
      for (const [other, theirs] of looks) {
        if (name >= other || look.marker !== theirs.marker) continue;
        for (const vision of visions.filter(one => one !== 'grey'))
          expect(distance(look.colour, theirs.colour, vision), `${name}, ${other}, ${vision}`).toBeGreaterThan(5);
      }
  });

  it('of the study have colours that are apart for every kind of colour vision', () => {
    const looks = [...looksOf(fiveMethods)];
    for (const [name, {colour}] of looks)
      for (const [other, theirs] of looks)
        for (const vision of visions.filter(one => one !== 'grey'))
          if (name < other)
            expect(distance(colour, theirs.colour, vision), `${name}, ${other}, ${vision}`).toBeGreaterThan(10);
  });

  it('have the markers of the page', () => {
    const page = {circle: 'circle', rectRot: 'diamond', rect: 'square', star: 'star', crossRot: 'cross'} as const;
    for (const [name, {marker}] of looksOf(methodNames)) {
      const {pointStyle, pointRotation} = methodShape(name);
      const triangle = pointRotation === 180 ? 'triangle down' : 'triangle';
      const known = Object.entries(page).find(([style]) => style === pointStyle)?.[1] ?? triangle;
      expect(marker, name).toBe(known);
    }
    expect(new Set(methodMarkers).size).toBe(methodMarkers.length);
  });

  it('look the same in every chart of a run', () => {
    const {figures} = figuresOf(richRun({batchSizes: [16], decays: ['0']}), column);
    const seen = new Map<string, Set<string>>();
    for (const {scene} of figures)
      for (const [label, look] of legendOf(scene)) seen.set(label, (seen.get(label) ?? new Set()).add(look));
    expect([...seen.keys()]).toEqual(expect.arrayContaining(['LoRA', 'PiSSA', 'Init[AB]', 'lora-attention-only']));
    for (const [label, looks] of seen) expect([...looks], label).toHaveLength(1);
  });
});

/** Of each method's legend entry, its marker and colour: the text behind a marker. */
function legendOf({shapes}: Figure['scene']): [string, string][] {
  return shapes.flatMap((shape, k): [string, string][] => {
    const before = shapes[k - 1];
    const isEntry =
      shape.kind === 'text' && shape.anchor === 'start' && before?.kind === 'marker' && shapes[k - 2]?.kind === 'line';
    if (!isEntry || before.kind !== 'marker' || Math.abs(before.at[1] - shape.at[1]) > 4) return [];
    return [[shape.text, `${before.shape} ${before.stroke}`]];
  });
}

describe('colours of values', () => {
  it('grow lighter all the way, so that grey has their order', () => {
    const hex = rateStops.map(stop => `#${stop.map(channel => channel.toString(16).padStart(2, '0')).join('')}`);
    const black = hex.map(colour => distance(colour, '#000000', 'grey'));
    expect(black).toEqual(black.toSorted((a, b) => a - b));
    for (const vision of visions) {
      const steps = black
        .map(() => vision)
        .slice(1)
        .map((one, k) => distance(hex[k]!, hex[k + 1]!, one));
      for (const step of steps) expect(step, vision).toBeGreaterThan(8);
    }
  });
});

describe('the font', () => {
  it('is as wide as its table says', () => {
    for (const [first, widths] of arimoWidths) {
      const font = fontWidths(
        arimo,
        widths.map((__, k) => first + k),
      );
      expect(widths).toEqual(widths.map((__, k) => font.get(first + k) ?? 0));
    }
  });
});
