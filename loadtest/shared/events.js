// The dialect `events`: sends its events, and tells which answer is which. Money is in whole cents, so that no float touches it.

import http from "k6/http";

import { parsed, shown } from "./answers.js";
import { BASE_URL, HEADERS, JSON_HEADERS, isOn } from "./settings.js";

// Existing clients of this dialect send no keys.
const WITH_KEYS = isOn("KEYS", false);
const CENTS = /^(\d+)(?:\.(\d{1,2}))?$/;
// A number as this dialect writes it: 20, not 20.0 or 20.00.
const PLAIN_BALANCE = /"balance"\s*:\s*(?:0|[1-9]\d*)(?:\.\d*[1-9])?\s*[,}]/g;

export function deposit(destination, cents) {
  return post("deposit", `{"type":"deposit","destination":"${destination}","amount":${decimal(cents)}}`);
}

export function withdraw(origin, cents) {
  return post("withdraw", `{"type":"withdraw","origin":"${origin}","amount":${decimal(cents)}}`);
}

export function transfer(origin, destination, cents) {
  const body = `{"type":"transfer","origin":"${origin}","amount":${decimal(cents)},"destination":"${destination}"}`;
  return post("transfer", body);
}

// `sides` is what the answer must name, and nothing beside it: { origin: "100", destination: "300" }.
export function isAccepted(response, sides) {
  const answer = response.status === 201 && parsed(response);
  if (!answer) return false;
  const names = Object.keys(sides);
  return (
    Object.keys(answer).length === names.length &&
    names.every((side) => answer[side]?.id === sides[side] && typeof answer[side].balance === "number") &&
    response.body.match(PLAIN_BALANCE)?.length === names.length
  );
}

export function isUnknownAccount(response) {
  return response.status === 404 && response.body === "0";
}

export function isInsufficient(response) {
  return response.status === 422 && parsed(response)?.error === "insufficient funds";
}

// Each run has accounts of its own, so it meets no balances of an earlier run and changes nobody else's.
// Throws if the dialect is not served: a run against nothing should end at once.
export function newAccounts() {
  const prefix = `k6-${crypto.randomUUID().slice(0, 13)}-`;
  const [response] = http.batch([balanceRequest(`${prefix}0`)]);
  if (!isUnknownAccount(response)) {
    throw new Error(`a new account should be unknown at ${BASE_URL}/balance (404 and 0), but: ${shown(response)}`);
  }
  return prefix;
}

export function centsIn(accounts) {
  return http.batch(accounts.map(balanceRequest)).reduce((sum, response, index) => {
    if (isUnknownAccount(response)) return sum;
    const digits = response.status === 200 && response.body.match(CENTS);
    if (!digits) throw new Error(`could not read the balance of ${accounts[index]}: ${shown(response)}`);
    return sum + Number(digits[1] + (digits[2] || "").padEnd(2, "0"));
  }, 0);
}

export function randomFrom(least, most) {
  return least + Math.floor(Math.random() * (most - least + 1));
}

// Two different ones: a transfer to the same account is refused.
export function twoOf(count) {
  const one = randomFrom(0, count - 1);
  return [one, (one + randomFrom(1, count - 1)) % count];
}

// No key is ever used again, because no event is sent again.
function post(name, body) {
  const headers = WITH_KEYS ? { ...JSON_HEADERS, "Idempotency-Key": crypto.randomUUID() } : JSON_HEADERS;
  return http.post(`${BASE_URL}/event`, body, { headers, tags: { name } });
}

function balanceRequest(account) {
  return { method: "GET", url: `${BASE_URL}/balance?account_id=${account}`, params: { headers: HEADERS, tags: { name: "balance" } } };
}

function decimal(cents) {
  const digits = String(cents).padStart(3, "0");
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
