import { describe, expect, test } from "vitest";
import channel from "../../templates/channel/tests/contract.ts";
import hook from "../../templates/hook/tests/contract.ts";
import service from "../../templates/service/tests/contract.ts";
import tool from "../../templates/tool/tests/contract.ts";

for (const [template, cases] of Object.entries({ channel, hook, service, tool })) {
  describe(`template ${template}`, () => {
    test("has cases", () => expect(cases.length).toBeGreaterThan(2));
    for (const one of cases) test(one.name, one.run);
  });
}
