/** What a contender of the generation benchmark is told, as JSON in its first argument. */
export interface GenerationJob {
  /** Model folder. */
  model: string;
  /** PEFT adapter folder; it stays beside the weights. */
  adapter?: string;
  /** Token ids, all of one length. */
  prompts: number[][];
  newTokens: number;
  threads: number;
}
