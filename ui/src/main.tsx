import "./styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "@/App";
import { startTheme } from "@/lib/theme";
import { choosePlatform } from "@/platform";

startTheme();
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
const platform = await choosePlatform();
createRoot(root).render(
  <StrictMode>
    <App platform={platform} />
  </StrictMode>,
);
