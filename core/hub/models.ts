/** Small models of the hub that a first sweep can be made with: what New Sweep… and completion offer beside the cached ones. */
export interface HubModelOffer {
  /** As a sweep file names it. */
  id: string;
  /** Megabytes that fetching it takes, about: its weights as they are stored there. */
  megabytes: number;
}

/** The smallest first. None asks for an account. */
export const hubModels: readonly HubModelOffer[] = [
  {id: 'HuggingFaceTB/SmolLM2-135M', megabytes: 270},
  {id: 'HuggingFaceTB/SmolLM2-360M', megabytes: 720},
  {id: 'Qwen/Qwen2.5-0.5B', megabytes: 990},
  {id: 'Qwen/Qwen3-0.6B-Base', megabytes: 1200},
  {id: 'HuggingFaceTB/SmolLM2-1.7B', megabytes: 3400},
];

/** `270 MB`, `3.4 GB`. */
export function sizeOfOffer({megabytes}: HubModelOffer): string {
  return megabytes < 1000 ? `${megabytes} MB` : `${megabytes / 1000} GB`;
}

/** `SmolLM2-135M (270 MB)`; without a size where that is not known. */
export function offerInWords(id: string): string {
  const offer = hubModels.find(one => one.id === id);
  const name = id.replace(/@.*$/, '').slice(id.lastIndexOf('/') + 1);
  return offer ? `${name} (${sizeOfOffer(offer)})` : id;
}

/** `org/name` or `org/name@revision`, as `lora-sweep fetch` takes it. */
export function isHubId(text: string): boolean {
  return /^[\w-][\w.-]*\/[\w-][\w.-]*(@[\w-][\w./-]*)?$/.test(text) && !text.includes('..');
}
