// `npm run pictures`: the pictures in README and docs, taken of the real window in both languages, light and dark.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PASSWORD, clearDesk, computer, serve, start } from "./desk.mjs";
import { until } from "./driver.mjs";

const folder = fileURLToPath(new URL("../../docs/pictures", import.meta.url));
const WORDS = {
  en: { samples: "Try with sample data", same: "Up to date", change: "Change the same appointment on both", compare: "Compare both versions of" },
  de: { samples: "Mit Beispieldaten ausprobieren", same: "Alles aktuell", change: "Denselben Termin auf beiden ändern", compare: "Beide Fassungen von" },
};

before(() => {
  mkdirSync(folder, { recursive: true });
  start("openbox", []);
});
after(clearDesk);

/** Sets the window to these colours, and returns what takes a picture of it. */
const photographer = async (window, language, appearance) => {
  await window.waitFor("h1");
  await window.call("change_settings", { appearance });
  await window.run("window.isOld = true; location.reload()");
  await until("the page is there again", () => window.run("return !window.isOld && document.querySelector('h1') !== null"));
  return async (name) => {
    await window.run("document.activeElement?.blur()");
    const isMoving = "return document.getAnimations().some((animation) => animation.playState === 'running')";
    await until("nothing moves", async () => !(await window.run(isMoving)));
    writeFileSync(join(folder, `${name}-${language}-${appearance}.png`), await window.screenshot());
  };
};

for (const language of ["en", "de"]) {
  for (const appearance of ["light", "dark"]) {
    test(`${language}, ${appearance}`, async () => {
      const words = WORDS[language];
      const env = { LANG: language === "de" ? "de_DE.UTF-8" : "en_US.UTF-8" };
      const office = computer(`office-${language}-${appearance}`);
      const trial = computer(`trial-${language}-${appearance}`);

      const samples = await trial.open([], env);
      try {
        const take = await photographer(samples, language, appearance);
        await samples.click(words.samples);
        await until("both are the same", async () => (await samples.call("samples")).isSame);
        await until("the page says so", async () => (await samples.text()).split(words.same).length > 2);
        cpSync(join(trial.profile, "samples/office/data"), office.data, { recursive: true });
        await take("samples");
        await samples.click(words.change);
        await samples.click(words.compare);
        await samples.waitFor("table");
        await samples.run("document.querySelector('table').scrollIntoView({ block: 'center' })");
        await take("conflict");
      } finally {
        await samples.close();
      }

      const served = await serve(office, language === "de" ? "Büro-PC" : "Office PC");
      const laptop = computer(`laptop-${language}-${appearance}`);
      const secret = join(laptop.home, "password.txt");
      writeFileSync(secret, `${PASSWORD}\n`);
      execFileSync(process.env.TANDEM, ["--config-dir", laptop.profile, "join", served.invitation, "--store", `files:${laptop.data}`,
        "--password-file", secret, "--secrets", "file", "--name", "Laptop", "--yes"], { env: { ...process.env, ...laptop.env } });
      const window = await office.open([], env);
      try {
        const take = await photographer(window, language, appearance);
        await until("the laptop is known", async () => (await window.call("devices")).length === 1);
        await take("overview");
      } finally {
        await window.close();
        served.close();
      }
    });
  }
}
