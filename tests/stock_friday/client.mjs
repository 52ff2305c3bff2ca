// A client of the gateway with the manners of the real Friday AI's, and none of its code: it gives up after 30 s, starts
// 12 calls a minute and two at a time, asks a busy gateway three times, and reads `healthy_count`. It runs on Node 18 and
// newer, without packages. `node client.mjs '[{"messages": ...}, ...]'` makes the calls and prints one JSON line.
const GATEWAY = process.env.LITELLM_BASE_URL || "http://localhost:4000";
const MODEL = "openrouter/z-ai/glm-4.5-air:free";
const CHAT_MS = 30_000;
const HEALTH_MS = 5_000;
const A_MINUTE = 12;
const AT_ONCE = 2;
const TRIES = 3;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function ask(path, options, limitMs) {
  const response = await fetch(`${GATEWAY}${path}`, {
    ...options,
    headers: { "Content-Type": "application/json" },
    signal: AbortSignal.timeout(limitMs),
  });
  const text = await response.text();
  if (!response.ok) throw Object.assign(new Error(`${response.status}`), { status: response.status, text });
  return JSON.parse(text);
}

const started = [];
let running = 0;
let most = 0;

// Wait for a place: no more than 12 starts in any 60 s, no more than two calls at once.
async function place() {
  for (;;) {
    while (started.length && Date.now() - started[0] > 60_000) started.shift();
    if (running < AT_ONCE && started.length < A_MINUTE) break;
    await sleep(50);
  }
  started.push(Date.now());
  running += 1;
  most = Math.max(most, running);
}

async function chat({ messages, model, tools, toolChoice }) {
  const wanted = tools?.length ? { tools, tool_choice: toolChoice } : {};
  const body = JSON.stringify({ model: model || MODEL, messages, max_tokens: 32768, ...wanted });
  await place();
  const begun = Date.now();
  let tries = 0;
  try {
    for (;;) {
      tries += 1;
      try {
        const answer = await ask("/chat/completions", { method: "POST", body }, CHAT_MS);
        const choice = answer.choices[0];
        return { ...told(begun, tries), model: answer.model, ...choice.message, finish_reason: choice.finish_reason };
      } catch (error) {
        if (error.status !== 429 || tries === TRIES) throw error;
        await sleep(1000 * 2 ** (tries - 1));
      }
    }
  } catch (error) {
    return { ...told(begun, tries), error: error.name, status: error.status, text: error.text };
  } finally {
    running -= 1;
  }
}

function told(begun, tries) {
  return { ms: Date.now() - begun, tries };
}

// An answer that counts makes the gateway healthy, whatever the count is.
async function healthCheck() {
  try {
    return (await ask("/health", { method: "GET" }, HEALTH_MS)).healthy_count >= 0;
  } catch {
    return false;
  }
}

const calls = JSON.parse(process.argv.at(-1));
const healthy = await healthCheck();
const answers = await Promise.all(calls.map(chat));
console.log(JSON.stringify({ healthy, answers, most }));
