import { expect, test } from "vitest";
import { isProcessor } from "../../src/scene/webgl-painter";

test.each([
  ["ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero) (0x0000C0DE)), SwiftShader driver)", true],
  ["llvmpipe (LLVM 15.0.6, 256 bits)", true],
  ["ANGLE (Microsoft, Microsoft Basic Render Driver Direct3D11 vs_5_0 ps_5_0)", true],
  ["Apple Software Renderer", true],
  ["ANGLE (Intel, Mesa Intel(R) UHD Graphics 620 (KBL GT2), OpenGL 4.6)", false],
  ["ANGLE (NVIDIA, NVIDIA GeForce RTX 3060 Direct3D11 vs_5_0 ps_5_0)", false],
  ["Apple GPU", false],
  ["WebKit WebGL", false],
])("%s", (renderer, processor) => {
  expect(isProcessor(renderer)).toBe(processor);
});
