// Talks with the test that runs a script: one line of JSON at a time, facts out, and in what a script cannot do itself.
import { createInterface } from 'node:readline';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** What the test said, or undefined once it has nothing more to say. */
export async function hear() {
  const { value, done } = await lines.next();
  return done ? undefined : JSON.parse(value);
}

export function tell(facts) {
  process.stdout.write(`${JSON.stringify(facts)}\n`);
}

/** How something was refused: the server's error code, or the client's own. "granted" when it was not. */
export async function refusal(attempt) {
  try {
    await attempt();
    return 'granted';
  } catch (problem) {
    return problem.error ?? problem.code ?? String(problem);
  }
}
