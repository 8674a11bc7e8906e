/** Several iterations that each need one product at a time, answered together in rounds. */

/** Answers one request of each iteration, in their order. */
export type Answer<Request, Result> = (requests: Request[]) => Promise<Result[]>;

/**
 * Runs tasks side by side. Whenever every task that is not done has asked for something, `answer` is called once with
 * all requests. An error of `answer` goes to every task that asked.
 */
export async function together<Request, Result, Outcome>(
  tasks: ((ask: (request: Request) => Promise<Result>) => Promise<Outcome>)[],
  answer: Answer<Request, Result>,
): Promise<PromiseSettledResult<Outcome>[]> {
  let active = tasks.length;
  let waiting: {request: Request; resolve(result: Result): void; reject(error: unknown): void}[] = [];
  const serve = () => {
    if (waiting.length === 0 || waiting.length < active) return;
    const round = waiting;
    waiting = [];
    answer(round.map(({request}) => request)).then(
      results => {
        for (const [i, {resolve}] of round.entries()) resolve(results[i]!);
      },
      (error: unknown) => {
        for (const {reject} of round) reject(error);
      },
    );
  };
  const ask = (request: Request) =>
    new Promise<Result>((resolve, reject) => {
      waiting.push({request, resolve, reject});
      serve();
    });
  return Promise.allSettled(
    tasks.map(task =>
      task(ask).finally(() => {
        active--;
        serve();
      }),
    ),
  );
}
