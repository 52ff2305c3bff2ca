// The stand-in's own decision who uses the gateway, and its two ways to a model. The environment is read at start.
const ROUTES = process.env.FORCE_MODEL_ROUTING === "true";
const ENABLED = process.env.ENABLE_LITELLM === "true";
export const PERCENTAGE = Number.parseInt(process.env.LITELLM_ROLLOUT_PERCENTAGE || "0", 10);
const GATEWAY = process.env.LITELLM_BASE_URL || "http://localhost:4000";
const DIRECT = "https://openrouter.ai/api/v1/chat/completions"; // fixed: no variable moves it
const GATEWAY_MODEL = "openrouter/z-ai/glm-4.5-air:free";
const DIRECT_MODEL = "z-ai/glm-4.5-air:free";
const CHAT_MS = 30_000;
const HEALTH_MS = 5_000;

// How many chats took which way; `fallback` began at the gateway and went on direct, `failed` had no answer.
export const paths = { gateway: 0, direct: 0, fallback: 0, failed: 0 };

function usesGateway(userId) {
  if (!ROUTES || !ENABLED || PERCENTAGE === 0) return false;
  if (PERCENTAGE === 100) return true;
  return userId ? userId % 100 < PERCENTAGE : Math.random() * 100 < PERCENTAGE;
}

async function ask(url, options, limitMs) {
  const response = await fetch(url, {
    ...options,
    headers: { "Content-Type": "application/json", ...options.headers },
    signal: AbortSignal.timeout(limitMs),
  });
  if (!response.ok) throw new Error(`${response.status} ${(await response.text()).slice(0, 200)}`);
  return response.json();
}

async function chat(url, model, messages, headers = {}) {
  const body = JSON.stringify({ model, messages, max_tokens: 32768 });
  const answer = await ask(url, { method: "POST", body, headers }, CHAT_MS);
  return answer.choices[0].message.content;
}

async function askDirectly(messages) {
  return chat(DIRECT, DIRECT_MODEL, messages, { Authorization: `Bearer ${process.env.OPENROUTER_API_KEY || ""}` });
}

// Answer a chat: {path, content}, or {path, error} when no way led to an answer.
export async function routeChat(userId, messages) {
  let path = "direct";
  try {
    if (usesGateway(userId)) {
      path = "gateway";
      try {
        const content = await chat(`${GATEWAY}/chat/completions`, GATEWAY_MODEL, messages);
        paths.gateway += 1;
        return { path, content };
      } catch (error) {
        console.error(`gateway failed, asking directly: ${error.message}`);
        path = "fallback";
      }
    }
    paths[path] += 1;
    return { path, content: await askDirectly(messages) };
  } catch (error) {
    paths.failed += 1;
    return { path, error: `${error.message}${error.cause ? `: ${error.cause.code || error.cause.message}` : ""}` };
  }
}

// What the real one's client calls healthy: an answer that counts.
export async function healthCheck() {
  try {
    return (await ask(`${GATEWAY}/health`, { method: "GET" }, HEALTH_MS)).healthy_count >= 0;
  } catch {
    return false;
  }
}
