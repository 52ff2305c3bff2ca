// A stand-in for the real Friday AI, with its manners and none of its code: what this product must not expect of an
// image. It runs on Node 18 and newer, without packages.
//
// As the real one it answers 500 to requests without a known Origin, allows 100 requests below /api/ per address and
// quarter of an hour, wants the same CSRF token twice, goes on after SIGTERM, needs 8 s of processor time to start,
// logs to a folder beside its code, runs its jobs in every process, and decides by itself who uses the gateway.
//
// The STOCK_ variables are for tests, which cannot wait or count that long; every default is the real one's.
import { createHash } from "node:crypto";
import { createWriteStream, mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PERCENTAGE, routeChat, healthCheck, paths } from "./routing.mjs";

const PRODUCTION = process.env.NODE_ENV === "production";
const PORT = Number(process.env.PORT || "3000");
const ORIGINS = (process.env.CORS_ALLOWED_ORIGINS || "https://friday.example").split(",").map((each) => each.trim());
const API_LIMIT = Number(process.env.STOCK_API_LIMIT || (PRODUCTION ? "100" : "1000"));
const API_WINDOW_MS = 15 * 60 * 1000;
const START_CPU_SECONDS = Number(process.env.STOCK_START_CPU_SECONDS || "8");
const JOB_SECONDS = Number(process.env.STOCK_JOB_SECONDS || "60");
// The rightmost address of X-Forwarded-For is the user's, as in Express with `trust proxy` 1. The real one has none.
const TRUST_PROXY = process.env.STOCK_TRUST_PROXY === "1";
const MOST_BODY = 50 * 1024 * 1024;
const LOGS = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "logs");

const counts = { jobs: 0, signals: 0, sockets: 0, requests: 0 };

function openLog() {
  // No permission ends the process here, with Node's own words.
  mkdirSync(LOGS, { recursive: true });
  return createWriteStream(join(LOGS, "app.log"), { flags: "a" });
}

const file = openLog();
file.on("error", (error) => {
  throw error;
});

function log(event, more = {}) {
  const line = JSON.stringify({ time: new Date().toISOString(), event, ...more });
  process.stdout.write(`${line}\n`);
  file.write(`${line}\n`);
}

// What the real one's modules do on SIGTERM: they end a timer. Who has a handler is not ended by the signal.
const cleaning = setInterval(() => {}, 60_000);
process.on("SIGTERM", () => {
  counts.signals += 1;
  clearInterval(cleaning);
  log("signal", { name: "SIGTERM", says: "timers stopped" });
});

function startSlowly() {
  let hash = "";
  while (process.cpuUsage().user + process.cpuUsage().system < START_CPU_SECONDS * 1e6) {
    hash = createHash("sha256").update(hash).digest("hex");
  }
}

function startJobs() {
  setInterval(() => {
    counts.jobs += 1;
    log("job", { name: "billing", run: counts.jobs, pid: process.pid });
  }, JOB_SECONDS * 1000);
  log("jobs scheduled", { seconds: JOB_SECONDS });
}

function addressOf(request) {
  const forwarded = String(request.headers["x-forwarded-for"] || "").split(",").at(-1).trim();
  return TRUST_PROXY && forwarded ? forwarded : request.socket.remoteAddress;
}

const seen = new Map();

function isOverLimit(address) {
  const now = Date.now();
  const known = seen.get(address);
  const current = known && now < known.until ? known : { until: now + API_WINDOW_MS, calls: 0 };
  current.calls += 1;
  seen.set(address, current);
  return current.calls > API_LIMIT;
}

function cookiesOf(request) {
  const pairs = String(request.headers.cookie || "").split(";").map((each) => each.trim().split("="));
  return Object.fromEntries(pairs.filter(([name, value]) => name && value));
}

async function bodyOf(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MOST_BODY) throw Object.assign(new Error("request entity too large"), { status: 413 });
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function answer(response, status, body, headers = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/html; charset=utf-8" : "application/json";
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text), ...headers });
  response.end(text);
}

// What everybody has to pass before a route is looked for; true when it was answered here.
function isTurnedAway(request, response, path) {
  const origin = request.headers.origin;
  if (PRODUCTION && !ORIGINS.includes(origin)) {
    answer(response, 500, `<pre>Error: ${origin ? "Not allowed by CORS" : "Origin required"}</pre>`);
    return true;
  }
  if (!path.startsWith("/api/")) return false;
  if (isOverLimit(addressOf(request))) {
    answer(response, 429, "Too many requests from this address.");
    return true;
  }
  const safe = ["GET", "HEAD", "OPTIONS"].includes(request.method);
  const token = cookiesOf(request).__csrf_token;
  if (!safe && !(token && token === request.headers["x-csrf-token"])) {
    answer(response, 403, { error: "CSRF token missing or wrong" });
    return true;
  }
  return false;
}

// A tRPC mutation: {"json": {"content": "..."}} in, {"result": {"data": {"json": ...}}} out. The user is who the
// session cookie names.
async function sendMessage(request, response) {
  const input = JSON.parse((await bodyOf(request)) || "{}").json || {};
  const userId = Number(cookiesOf(request).app_session_id || "0");
  const done = await routeChat(userId, [{ role: "user", content: String(input.content || "") }]);
  const headers = { "X-Stock-Path": done.path, "X-Stock-Address": addressOf(request) };
  if (done.error) {
    answer(response, 500, { error: { json: { message: done.error, data: { code: "INTERNAL_SERVER_ERROR" } } } }, headers);
  } else {
    answer(response, 200, { result: { data: { json: { content: done.content, path: done.path } } } }, headers);
  }
}

// It keeps a web socket, says hello on each, lists what it hears, and comes back when one is closed.
const PAGE = `<!doctype html><title>Friday</title><link rel="icon" href="data:,"><h1>Friday</h1><ol></ol><script>
let socket;
const say = (text) => socket.send(text);
const list = (text) => document.querySelector("ol").append(
  Object.assign(document.createElement("li"), { textContent: text }),
);
function connect() {
  socket = new WebSocket(new URL("/ws", location.href.replace(/^http/, "ws")));
  socket.onopen = () => say("hello");
  socket.onmessage = (message) => list(message.data);
  socket.onclose = (event) => {
    list("closed " + event.code);
    setTimeout(connect, 200);
  };
}
connect();
</script>`;

async function route(request, response) {
  counts.requests += 1;
  const path = request.url.split("?")[0];
  if (isTurnedAway(request, response, path)) return;
  if (request.method === "POST" && path === "/api/trpc/chat.sendMessage") return sendMessage(request, response);
  if (request.method === "GET" && path === "/api/health") return answer(response, 200, { status: "healthy" });
  if (request.method === "GET" && path === "/api/stock") {
    const state = { ...counts, paths, percentage: PERCENTAGE, pid: process.pid, address: addressOf(request) };
    return answer(response, 200, { ...state, gatewayIsHealthy: await healthCheck() });
  }
  if (request.method === "GET" && !path.startsWith("/api/")) {
    return answer(response, 200, PAGE, {
      "Set-Cookie": "__csrf_token=stock; Path=/; SameSite=Strict",
    });
  }
  answer(response, 404, { error: "no such procedure" });
}

const WEB_SOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, section 1.3

function frame(opcode, payload) {
  const head = [0x80 | opcode];
  if (payload.length < 126) head.push(payload.length);
  else if (payload.length < 65536) head.push(126, payload.length >> 8, payload.length & 255);
  else throw new Error("a message of 64 KiB or more");
  return Buffer.concat([Buffer.from(head), payload]);
}

// Take the first whole frame off `data` (RFC 6455, section 5.2: those of a client are masked); null when it is cut.
function takeFrame(data) {
  if (data.length < 2) return null;
  const short = data[1] & 127;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + lengthBytes + 4;
  if (data.length < start) return null;
  const length = lengthBytes === 0 ? short : lengthBytes === 2 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2));
  if (data.length < start + length) return null;
  const mask = data.subarray(start - 4, start);
  const payload = Buffer.from(data.subarray(start, start + length), 0).map((byte, at) => byte ^ mask[at % 4]);
  return { opcode: data[0] & 15, payload, rest: data.subarray(start + length) };
}

function serveSocket(socket) {
  counts.sockets += 1;
  let data = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("close", () => (counts.sockets -= 1));
  socket.on("data", (more) => {
    data = Buffer.concat([data, more]);
    for (let taken = takeFrame(data); taken; taken = takeFrame(data)) {
      data = taken.rest;
      if (taken.opcode === 8) return socket.end(frame(8, taken.payload));
      if (taken.opcode === 9) socket.write(frame(10, taken.payload));
      // Who answers is said first: a user of several replicas can tell them apart.
      if (taken.opcode === 1) socket.write(frame(1, Buffer.concat([Buffer.from(`${hostname()} `), taken.payload])));
    }
  });
}

function upgrade(request, socket, head) {
  const key = request.headers["sec-websocket-key"];
  const isKnown = !PRODUCTION || ORIGINS.includes(request.headers.origin);
  if (request.url.split("?")[0] !== "/ws" || !key || !isKnown) {
    return socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  }
  const accept = createHash("sha1").update(key + WEB_SOCKET_GUID).digest("base64");
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.unshift(head);
  serveSocket(socket);
}

startSlowly();
const server = createServer((request, response) => {
  route(request, response).catch((error) => {
    log("error", { says: String(error) });
    if (!response.headersSent) answer(response, error.status || 500, { error: String(error.message) });
  });
});
server.on("upgrade", upgrade);
server.listen(PORT, () => {
  log("listening", { port: PORT, pid: process.pid });
  startJobs();
});
