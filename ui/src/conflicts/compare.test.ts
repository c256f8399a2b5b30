import { expect, it } from "vitest";
import { rows } from "./compare.ts";

it("only what differs is marked, and a field one side lacks stands beside nothing", () => {
  const server = [
    { name: "Title", text: "Dentist" },
    { name: "Start", text: "10:00" },
  ];
  const other = [
    { name: "Title", text: "Dentist" },
    { name: "Start", text: "11:30" },
    { name: "Place", text: "Main Street 4" },
  ];
  expect(rows(server, other)).toEqual([
    { name: "Title", server: "Dentist", other: "Dentist", isDifferent: false },
    { name: "Start", server: "10:00", other: "11:30", isDifferent: true },
    { name: "Place", server: "", other: "Main Street 4", isDifferent: true },
  ]);
});

it("several values of one field are compared together", () => {
  const both = [
    { name: "Email", text: "a@example.org" },
    { name: "Email", text: "b@example.org" },
  ];
  expect(rows(both, both.slice(0, 1))).toEqual([
    { name: "Email", server: "a@example.org\nb@example.org", other: "a@example.org", isDifferent: true },
  ]);
});
