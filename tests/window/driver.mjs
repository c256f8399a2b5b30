// One real window, driven through WebKitWebDriver without any package: the few calls of the W3C protocol that are needed.

import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
/** Loaded machines are slow; nothing here depends on how fast it is. */
export const PATIENCE_MS = 60_000;

/** Asks again until the answer is something. What throws counts as nothing. */
export const until = async (what, ask, patience = PATIENCE_MS) => {
  const end = Date.now() + patience;
  let last;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) {
      if (process.env.TANDEM_PICTURES) spawnSync("import", ["-window", "root", `${process.env.TANDEM_PICTURES}/stuck-${Date.now()}.png`]);
      throw new Error(`${what}: waited in vain`, { cause: last });
    }
    await pause(50);
  }
};

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
    server.on("error", reject);
  });

/** Opens the window with these arguments, under a driver of its own. */
export const openWindow = async (program, args, env = {}) => {
  const port = await freePort();
  const driver = spawn("WebKitWebDriver", [`--port=${port}`, "--host=127.0.0.1"], {
    stdio: ["ignore", "ignore", "ignore"],
    env: { ...process.env, ...env, TAURI_WEBVIEW_AUTOMATION: "true" },
  });
  const call = async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body) });
    const { value } = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(value)}`);
    return value;
  };
  await until("the driver starts", () => call("GET", "/status"));
  const launchedAt = performance.now();
  const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": { binary: program, args } } };
  const { sessionId } = await call("POST", "/session", { capabilities });
  const session = `/session/${sessionId}`;
  await call("POST", `${session}/timeouts`, { script: 2 * PATIENCE_MS });

  const find = async (using, value) => (await call("POST", `${session}/element`, { using, value }))[ELEMENT];
  const run = (script, ...args) => call("POST", `${session}/execute/sync`, { script, args });
  const waitFor = (css) => until(`${css} is there`, () => find("css selector", css));
  /** What is called so: the text or label of a button, link, tab, radio button or check box that can be seen. */
  const named = (text) =>
    run(
      `const wanted = arguments[0];
       const name = (e) => (e.getAttribute("aria-label") ?? (e.labels?.[0] ?? e).textContent).trim().replace(/\\s+/g, " ");
       const seen = [...document.querySelectorAll("button, a, [role=tab], summary, input, select, option, label")]
         .filter((e) => (e.offsetParent !== null || e.closest("dialog[open]")) && !e.matches(":disabled, [aria-disabled=true], [aria-busy=true]"));
       return seen.find((e) => name(e) === wanted) ?? seen.find((e) => name(e).startsWith(wanted)) ?? null;`,
      text,
    ).then((element) => element?.[ELEMENT]);

  /** Clicks like somebody who scrolls first: the buttons at the bottom of a page lie over what is below them. */
  const clickOn = async (element) => {
    await run("arguments[0].scrollIntoView({ block: 'center' })", { [ELEMENT]: element });
    await call("POST", `${session}/element/${element}/click`, {});
  };

  return {
    call: (name, request = {}) =>
      call("POST", `${session}/execute/async`, {
        script: `const done = arguments[2];
          window.__TAURI_INTERNALS__.invoke("call", { name: arguments[0], request: arguments[1] })
            .then((answer) => done({ answer }), (problem) => done({ problem }));`,
        args: [name, request],
      }).then(({ answer, problem }) => {
        if (problem) throw Object.assign(new Error(`${name}: ${JSON.stringify(problem)}`), { problem });
        return answer;
      }),
    /** The process that started the program. */
    driver: driver.pid,
    /** When it did, in `performance.now()`. */
    launchedAt,
    run,
    waitFor,
    text: () => run("return document.body.innerText"),
    heading: () => run(`return document.querySelector("h1")?.textContent.trim()`),
    sees: (text, patience) =>
      until(`"${text}" is seen`, async () => (await run("return document.body.innerText")).includes(text), patience),
    click: async (text) => {
      const element = await until(`"${text}" can be clicked`, () => named(text));
      await clickOn(element);
    },
    /** Clicks what a selector finds, once it can be clicked. */
    press: async (css) => {
      const element = await until(`${css} can be clicked`, () => find("css selector", `${css}:not(:disabled, [aria-disabled=true], [aria-busy=true])`));
      await clickOn(element);
    },
    type: async (css, text) => {
      const element = await waitFor(css);
      await call("POST", `${session}/element/${element}/clear`, {});
      await call("POST", `${session}/element/${element}/value`, { text });
    },
    /** Keys as a person presses them, to whatever has the focus. */
    keys: (...keys) =>
      call("POST", `${session}/actions`, {
        actions: [
          {
            type: "key",
            id: "keyboard",
            actions: keys.flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }]),
          },
        ],
      }),
    focused: () =>
      run(`const e = document.activeElement; return (e.getAttribute("aria-label") ?? (e.labels?.[0] ?? e).textContent).trim().replace(/\\s+/g, " ")`),
    /** What the window shows, as PNG. */
    screenshot: async () => Buffer.from(await call("GET", `${session}/screenshot`), "base64"),
    close: async () => {
      await call("DELETE", session).catch(() => {});
      // The driver takes the page away; the program may stay behind.
      spawnSync("pkill", ["-P", String(driver.pid)]);
      driver.kill();
    },
  };
};
