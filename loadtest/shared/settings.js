// Reads the settings of a scenario from the environment. Durations such as 30s go to k6 as they are: it refuses a wrong one itself.

export const BASE_URL = __ENV.BASE_URL || "http://127.0.0.1:3000";

// How the service knows who asks, if it wants to: by an API key.
export const HEADERS = __ENV.PASSBOOK_API_KEY ? { Authorization: `Bearer ${__ENV.PASSBOOK_API_KEY}` } : {};
export const JSON_HEADERS = { ...HEADERS, "Content-Type": "application/json" };

// A typo must stop the run: k6 would take NaN for "not set" and measure something else.
export function wholeNumber(name, fallback, least) {
  const text = __ENV[name] || String(fallback);
  if (!/^\d{1,7}$/.test(text) || Number(text) < least) {
    throw new Error(`${name} must be a whole number from ${least} to 9999999, not ${text}`);
  }
  return Number(text);
}

export function isOn(name, fallback) {
  const text = __ENV[name] || (fallback ? "1" : "0");
  if (text !== "0" && text !== "1") throw new Error(`${name} must be 0 or 1, not ${text}`);
  return text === "1";
}
