/** Every part, in the order of docs/benchmarks.md; each is loaded when it is measured. */
import type {Part} from '../pages/part.ts';

export const parts: Record<string, () => Promise<Part>> = {
  goldens: async () => (await import('./goldens.ts')).goldens,
  products: async () => (await import('./products.ts')).products,
  training: async () => (await import('./training.ts')).training,
  smollm2: async () => (await import('./smollm2.ts')).training135M,
  generation: async () => (await import('./generation.ts')).generation,
  curvature: async () => (await import('./curvature.ts')).curvature,
  start: async () => (await import('./start.ts')).start,
  demo: async () => (await import('./demo.ts')).demo,
  plan: async () => (await import('./plan.ts')).plan,
  search: async () => (await import('./search.ts')).searches,
  live: async () => (await import('./live.ts')).live,
  language: async () => (await import('./language.ts')).language,
  verdict: async () => (await import('./verdict.ts')).verdict,
  tasks: async () => (await import('./tasks.ts')).tasks,
  dashboard: async () => (await import('./dashboard.ts')).dashboard,
  trials: async () => (await import('./trials.ts')).trials,
};
