import type { Relation } from '../catalog/relation.ts';
export function cloneFromParent(partition: Relation, parent: Relation): void { void partition; void parent; }
