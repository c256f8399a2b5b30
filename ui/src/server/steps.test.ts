import { describe, expect, it } from "vitest";
import { sources } from "../fake/world.ts";
import { begin, choice, isReady, next, request, steps, type Event, type State } from "./steps.ts";

const [outlook, folder] = [sources.outlook, sources.folder];
const after = (...events: Event[]): State => events.reduce(next, begin("Office PC"));
const filled: Event[] = [{ event: "source", source: folder }, { event: "next" }, { event: "next" }, { event: "next" }];

describe("the server's steps", () => {
  it("go from the data to the password, in order", () => {
    let state = after({ event: "source", source: folder });
    const seen = [state.step];
    for (let i = 0; i < 3; i++) seen.push((state = next(state, { event: "next" })).step);
    expect(seen).toEqual(steps.slice(0, 4));
  });

  it("don't leave the data before there is any", () => {
    expect(after({ event: "next" }).step).toBe("data");
    expect(after({ event: "source", source: { ...folder, state: "unusable" } }, { event: "next" }).step).toBe("data");
  });

  it("don't leave the password by Next: only a server that was made does", () => {
    const state = after(...filled, { event: "password", password: "zebra-anchor-mild" }, { event: "next" });
    expect(state.step).toBe("password");
    expect(next(state, { event: "created" }).step).toBe("share");
  });

  it("forget the password as soon as the server is made", () => {
    const made = after(...filled, { event: "password", password: "zebra-anchor-mild" }, { event: "created" });
    expect(JSON.stringify(made)).not.toContain("zebra");
  });

  it("lose nothing on the way back", () => {
    const there = after(...filled, { event: "internet", on: true }, { event: "password", password: "p" });
    const back = [1, 2, 3].reduce((state) => next(state, { event: "back" }), there);
    expect(back).toEqual({ ...there, step: "data" });
  });

  it("can't go back behind a server that exists", () => {
    const made = after(...filled, { event: "created" });
    expect(next(made, { event: "back" })).toBe(made);
  });

  it("leave out mail that is kept on a mail server, until somebody says otherwise", () => {
    expect(after({ event: "source", source: outlook }).preset).toBe("exceptMail");
    const chosen = after({ event: "source", source: outlook }, { event: "preset", preset: "everything" });
    expect(next(chosen, { event: "source", source: outlook }).preset).toBe("everything");
  });

  it("ask for at least one folder when folders are chosen one by one", () => {
    const none = after({ event: "source", source: folder }, { event: "next" }, { event: "chosen", paths: [] });
    expect(isReady(none)).toBe(false);
    const one = next(none, { event: "chosen", paths: ["contacts/Contacts"] });
    expect(isReady(one)).toBe(true);
    expect(choice(one)).toEqual({ these: "named", paths: ["contacts/Contacts"] });
  });

  it("want a hidden password twice", () => {
    const hidden = after(...filled, { event: "password", password: "p" }, { event: "shown", isShown: false });
    expect(isReady(hidden)).toBe(false);
    expect(isReady(next(hidden, { event: "repeated", password: "p" }))).toBe(true);
  });

  it("end in the request that makes the server", () => {
    const state = after(...filled, { event: "name", name: "  Office PC " }, { event: "password", password: "p" });
    expect(request(state)).toEqual({
      name: "Office PC",
      source: folder.id,
      folders: { these: "everything" },
      internet: false,
      password: "p",
      isRemembered: true,
    });
  });
});
