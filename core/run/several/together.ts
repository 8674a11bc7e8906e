/** Several runs as one: folders whose trials are parts of one experiment, where their conditions meet. */
import type {MethodCost} from '../../method/cost.ts';
import {isSameRate} from '../../sweep/recognise.ts';
import {costKey, costPlace} from '../costs.ts';
import type {RunState, TrialView} from '../fold.ts';
import {emptyRun, placesOf} from '../fold.ts';
import {countedRun} from '../trials/dropped-trials.ts';
import {cellsBy, rolesTogether, runsInWords} from './joining.ts';
import {evaluationNames, methodNames} from './names.ts';
import type {Part} from './part.ts';
import {type Placing, placingOf} from './placing.ts';

export type {Part};

export interface Together {
  /** As of one run; what differs between the parts is a condition of its trials. */
  state: RunState;
  /** What a reader should know of how the parts were joined, in sentences. */
  remarks: string[];
  /** By part: its trials' ids → ids here. A trial that counts as another part has it is not there. */
  ids: ReadonlyMap<string, string>[];
}

/** A trial on its way. */
interface Candidate {
  part: number;
  view: TrialView;
  /** Everything of it but its rate. */
  key: string;
}

/**
 * Joins runs. Two trials are the same one where everything that moves a number is (the ingredients of their runs, by content) and their
 * rates are to 0.1 %; of those the first that is at its end counts. Results of others, and runs that do not say what they were made with, stand
 * beside them under names of their own.
 */
export function together(given: readonly Part[]): Together {
  if (given.length === 1) {
    const {state} = given[0]!;
    return {state, remarks: [], ids: [new Map(state.trials.map(({trial}) => [trial.id, trial.id]))]};
  }
  const parts = given.map(({name, state}) => ({name, state: countedRun(state)}));
  const evaluations = evaluationNames(parts);
  const methods = methodNames(parts);
  const placing = placingOf(parts);
  const candidates = parts.flatMap(({state}, part) =>
    state.trials.map(view => candidateOf(view, part, {placing, evaluations, methods})),
  );
  const {kept, twice} = once(candidates);
  const named = withIds(kept, parts);
  const ids = parts.map(
    (_, part) => new Map(named.filter(one => one.part === part).map(one => [one.from, one.view.trial.id])),
  );
  const remarks = [...placing.remarks, ...methods.remarks, ...evaluations.remarks, ...twiceInWords(twice, parts)];
  return {state: stateOf(parts, named, {placing, ids, remarks, methods}), remarks, ids};
}

type Naming = {
  placing: Placing;
  evaluations: ReturnType<typeof evaluationNames>;
  methods: ReturnType<typeof methodNames>;
};

function candidateOf(view: TrialView, part: number, {placing, evaluations, methods}: Naming): Candidate {
  const trial = placing.trial(view.trial, part);
  const name = methods.nameOf(view.trial, part);
  const named = {...trial, ...(name !== view.trial.method && {name})};
  const {id: _, learningRate: __, own: ___, ...rest} = named;
  const results = view.evaluations.map(one => ({...one, task: evaluations.nameOf(one.task, part)}));
  const key = JSON.stringify(Object.entries({...rest, values: placing.key(view.trial, part)}).sort());
  return {part, view: {...view, trial: named, evaluations: results}, key};
}

const isAtEnd = ({view}: Candidate): boolean => view.state === 'finished' || view.state === 'diverged';

/** Pairs of a trial that counts and the same one of another part. */
type Twice = [counts: Candidate, other: Candidate];

/** Each trial once, and rates that are the same to 0.1 % as one. */
function once(candidates: readonly Candidate[]): {kept: Candidate[]; twice: Twice[]} {
  const rates = sharedRates(candidates);
  const kept = new Map<string, Candidate>();
  const twice: Twice[] = [];
  for (const one of candidates) {
    const learningRate = rates(one);
    const shared = {...one, view: {...one.view, trial: {...one.view.trial, learningRate}}};
    const key = `${shared.key} ${learningRate}`;
    const known = kept.get(key);
    const counts = known && (isAtEnd(known) || !isAtEnd(shared)) ? known : shared;
    if (known) twice.push(counts === known ? [known, shared] : [shared, known]);
    kept.set(key, counts);
  }
  return {kept: [...kept.values()], twice};
}

/** The rate of an earlier part where it is the same; two rates of one part stay two, however near. */
function sharedRates(candidates: readonly Candidate[]): (one: Candidate) => number {
  const known: number[] = [];
  const byPart = new Map<number, Map<number, number>>();
  for (const part of new Set(candidates.map(one => one.part))) {
    const own = candidates.filter(one => one.part === part).map(({view}) => view.trial.learningRate);
    const rates = [...new Set(own)];
    const taken = new Set(rates.filter(rate => known.includes(rate)));
    const shared = rates.map((rate): [number, number] => {
      if (taken.has(rate)) return [rate, rate];
      const near = known.filter(one => isSameRate(rate, one) && !taken.has(one));
      const nearest = near.sort((a, b) => Math.abs(a - rate) - Math.abs(b - rate))[0] ?? rate;
      taken.add(nearest);
      return [rate, nearest];
    });
    byPart.set(part, new Map(shared));
    known.push(...shared.map(([, rate]) => rate).filter(rate => !known.includes(rate)));
  }
  return ({part, view}) => byPart.get(part)!.get(view.trial.learningRate)!;
}

interface Named extends Candidate {
  /** Its id in its part. */
  from: string;
}

/** Ids that several parts have for different trials name their part. */
function withIds(kept: readonly Candidate[], parts: readonly Part[]): Named[] {
  const times = new Map<string, number>();
  for (const {view} of kept) times.set(view.trial.id, (times.get(view.trial.id) ?? 0) + 1);
  return kept.map(one => {
    const {id} = one.view.trial;
    const {name, state} = parts[one.part]!;
    const own = times.get(id) === 1 ? id : `${id}@${name}`;
    const from = {run: name, ...(state.engine === 'imported' && {imported: true as const})};
    const evaluations = one.view.evaluations.map(each => ({...each, trial: own}));
    return {...one, from: id, view: {...one.view, trial: {...one.view.trial, id: own}, evaluations, part: from}};
  });
}

function twiceInWords(twice: readonly Twice[], parts: readonly Part[]): string[] {
  const pairs = new Map<string, {counts: string; other: string; number: number; different: number}>();
  for (const [{part, view}, other] of twice) {
    const [counts, others] = [parts[part]!.name, parts[other.part]!.name];
    const key = JSON.stringify([counts, others]);
    const pair = pairs.get(key) ?? {counts, other: others, number: 0, different: 0};
    const isDifferent = isAtEnd(other) && resultsOf(view) !== resultsOf(other.view);
    pairs.set(key, {...pair, number: pair.number + 1, different: pair.different + (isDifferent ? 1 : 0)});
  }
  return [...pairs.values()].map(({counts, other, number, different}) => {
    const are = number === 1 ? '1 trial stands' : `${number} trials stand`;
    const results = different === 0 ? '' : ` The results of ${different} of them differ between the two.`;
    return `${are} in ${counts} and in ${other}; each counts once, as ${counts} has it.${results}`;
  });
}

function resultsOf({evaluations, loss}: TrialView): string {
  return JSON.stringify([
    loss,
    ...evaluations.map(({step, task, metric, value}) => [step, task, metric, value]).sort(),
  ]);
}

interface Joined {
  placing: Placing;
  ids: ReadonlyMap<string, string>[];
  remarks: string[];
  methods: ReturnType<typeof methodNames>;
}

function stateOf(parts: readonly Part[], named: readonly Named[], joined: Joined): RunState {
  const {placing, ids, remarks, methods} = joined;
  const trials = named.map(({view}) => view);
  const states = parts.map(({state}) => state);
  const [first] = states as [RunState];
  const engines = new Set(states.map(({engine}) => engine));
  const idsOf = (list: readonly string[], part: number): string[] => list.flatMap(id => ids[part]!.get(id) ?? []);
  return {
    ...emptyRun,
    ...rolesTogether(parts, remarks),
    ...runsInWords(parts),
    ...cellsBy(states, named),
    engine: engines.size === 1 ? first.engine : 'several engines',
    trials,
    places: placesOf(trials),
    selected: states.flatMap(({selected}, part) => idsOf(selected, part)),
    added: states.flatMap(({added}, part) => idsOf(added, part)),
    asked: Math.max(...states.map(({asked}) => asked)),
    curvature: states.flatMap(({curvature}, part) => curvature.map(row => placing.probe(row, part, ids[part]!))),
    aggregates: states.flatMap(({aggregates}, part) =>
      aggregates.map(one => ({...placing.aggregate(one, part), method: methods.nameOf(one, part)})),
    ),
    costs: costsTogether(parts, joined),
    fixed: placing.fixed,
    notes: parts.flatMap(({name, state}) => state.notes.map(note => `${name}: ${note}`)),
    parts: parts.map(({name}) => name),
  };
}

/** Each once, where its trials stand here; none where the parts say different things of one. */
function costsTogether(parts: readonly Part[], {placing, methods}: Joined): MethodCost[] {
  const costs = parts.flatMap(({state}, part) => {
    const own = new Map(state.costs.map(cost => [costKey(cost), cost]));
    return state.trials.flatMap(({trial}): MethodCost[] => {
      const cost = own.get(costKey(costPlace(trial)));
      if (!cost) return [];
      const name = methods.nameOf(trial, part);
      const {method} = cost;
      return [{...cost, ...costPlace({...placing.trial(trial, part), ...(name !== method && {name})}), method}];
    });
  });
  const known = new Map(costs.map(cost => [costKey(cost), cost]));
  return costs.every(cost => cost.parameters === known.get(costKey(cost))!.parameters) ? [...known.values()] : [];
}
