// Holds an answer against what was expected of it.

import { check } from "k6";

let hasComplained = false;

// One check an answer. Each virtual user shows its first wrong answer, since the summary only counts them.
export function expect(response, sentence, isRight) {
  if (!isRight && !hasComplained) {
    hasComplained = true;
    console.error(`not so: ${sentence}: ${shown(response)}`);
  }
  return check(response, { [sentence]: () => isRight });
}

// The answer's JSON, or null: an exception would end the iteration before its check, and nothing would have failed.
export function parsed(response) {
  try {
    return JSON.parse(response.body);
  } catch {
    return null;
  }
}

export function shown(response) {
  return `${response.status} ${response.body || response.error}`;
}
