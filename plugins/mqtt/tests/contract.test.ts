import { test } from "vitest";
import cases from "./contract.ts";

for (const one of cases) test(one.name, one.run);
