/** Which workspace the window looks at. */
import { createContext, useContext } from "react";
import type { WorkspaceId, WorkspaceSummary } from "@/generated/protocol";

export interface WorkspaceChoice {
  workspace: WorkspaceSummary | null;
  workspaces: readonly WorkspaceSummary[];
  choose: (id: WorkspaceId) => void;
}

const WorkspaceContext = createContext<WorkspaceChoice>({ workspace: null, workspaces: [], choose: () => undefined });
export const WorkspaceProvider = WorkspaceContext.Provider;
export const useWorkspace = (): WorkspaceChoice => useContext(WorkspaceContext);
