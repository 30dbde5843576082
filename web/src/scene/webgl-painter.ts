/**
 * Draws scenes with WebGL 2. One context and one program for all of them; each tile's own 2D canvas receives a copy, so tiles may
 * scroll, move and vanish as the page likes.
 *
 * The light is interpolated by hand from texels, not by the sampler: samplers interpolate with 8 bits of fraction, too coarse to
 * agree with the Python reference.
 */

import { bitAt } from "./bits";
import { COVER, COVER_UNPROVEN, lightCells, UNPROVEN, type Rgb } from "./compositing";
import type { Drawable, Painter } from "./painter";
import { REVEAL_MS, type BackgroundPicture } from "./background-picture";
import type { Light } from "./scene";

const VERTEX = `#version 300 es
void main() {
  // One triangle that covers the whole target.
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}`;

function vec3([red, green, blue]: Rgb): string {
  return `vec3(${red}.0, ${green}.0, ${blue}.0)`;
}

const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
uniform sampler2D picture;
uniform sampler2D blocks;   // r: how far proven, g: covered
uniform sampler2D cells;    // r: gain, g: offset
uniform vec2 target;        // pixels drawn to
uniform vec2 size;          // pixels of the picture
uniform float blockPx;
uniform bool lit;
out vec4 colour;

vec2 lightAt(vec2 at) {
  ivec2 count = textureSize(cells, 0);
  vec2 cell = clamp(at * vec2(count) - 0.5, vec2(0.0), vec2(count - 1));
  ivec2 low = min(ivec2(floor(cell)), max(count - 2, ivec2(0)));
  ivec2 high = min(low + 1, count - 1);
  vec2 part = cell - vec2(low);
  vec2 above = mix(texelFetch(cells, low, 0).rg, texelFetch(cells, ivec2(high.x, low.y), 0).rg, part.x);
  vec2 below = mix(texelFetch(cells, ivec2(low.x, high.y), 0).rg, texelFetch(cells, high, 0).rg, part.x);
  return mix(above, below, part.y);
}

void main() {
  vec2 at = vec2(gl_FragCoord.x, target.y - gl_FragCoord.y) / target;
  vec2 state = texelFetch(blocks, ivec2(at * size / blockPx), 0).rg;
  // Sampled outside the branches: the sampler needs its neighbours' position to choose a size.
  vec3 shown = texture(picture, at).rgb * 255.0;
  if (state.g > 0.5) {
    shown = state.r > 0.5 ? ${vec3(COVER)} : ${vec3(COVER_UNPROVEN)};
  } else if (state.r == 0.0) {
    shown = ${vec3(UNPROVEN)};
  } else {
    if (lit) {
      vec2 light = lightAt(at);
      shown = shown * light.x + light.y;
    }
    shown = mix(${vec3(UNPROVEN)}, clamp(shown, 0.0, 255.0), state.r);
  }
  colour = vec4(floor(shown + 0.5) / 255.0, 1.0);
}`;

interface Held {
  readonly picture: WebGLTexture;
  readonly blocks: WebGLTexture;
  readonly cells: WebGLTexture;
  revision: number;
  light: Light | null;
  size: string;
}

type Name = "picture" | "blocks" | "cells" | "target" | "size" | "blockPx" | "lit";
type Uniforms = Record<Name, WebGLUniformLocation | null>;

export class WebGlPainter implements Painter {
  readonly reveals = true;
  readonly #gl: WebGL2RenderingContext;
  readonly #stage: OffscreenCanvas;
  readonly #uniforms: Uniforms;
  readonly #held = new Map<BackgroundPicture, Held>();
  /** Passed when what was drawn in the last frame is drawn. */
  #fence: WebGLSync | null = null;
  #fencing = false;

  private constructor(gl: WebGL2RenderingContext, stage: OffscreenCanvas, uniforms: Uniforms) {
    this.#gl = gl;
    this.#stage = stage;
    this.#uniforms = uniforms;
  }

  /**
   * null where WebGL 2 is not to be had, or only by the processor, which draws a plain canvas several times faster; `anyhow`
   * takes that too. `lost` is called once if the graphics card is taken away later.
   */
  static create(lost: () => void, anyhow = false): WebGlPainter | null {
    const stage = new OffscreenCanvas(16, 16);
    stage.addEventListener("webglcontextlost", lost, { once: true });
    const wanted = { alpha: false, antialias: false, depth: false, stencil: false, failIfMajorPerformanceCaveat: !anyhow };
    const gl = stage.getContext("webgl2", wanted);
    if (gl === null || (!anyhow && drawnByProcessor(gl))) return null;
    const program = link(gl);
    if (program === null) return null;
    gl.useProgram(program);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    const locate = (name: string): WebGLUniformLocation | null => gl.getUniformLocation(program, name);
    const uniforms: Uniforms = {
      picture: locate("picture"),
      blocks: locate("blocks"),
      cells: locate("cells"),
      target: locate("target"),
      size: locate("size"),
      blockPx: locate("blockPx"),
      lit: locate("lit"),
    };
    gl.uniform1i(uniforms.picture, 0);
    gl.uniform1i(uniforms.blocks, 1);
    gl.uniform1i(uniforms.cells, 2);
    return new WebGlPainter(gl, stage, uniforms);
  }

  /** The graphics card, or the processor in its stead, takes commands faster than it carries them out. */
  busy(): boolean {
    if (this.#fence === null) return false;
    // Of a lost context the answer is null.
    if (this.#gl.getSyncParameter(this.#fence, this.#gl.SYNC_STATUS) === this.#gl.UNSIGNALED) return true;
    this.#gl.deleteSync(this.#fence);
    this.#fence = null;
    return false;
  }

  /** One fence behind all that is drawn in this frame. */
  #fenceLater(): void {
    if (this.#fencing) return;
    this.#fencing = true;
    queueMicrotask(() => {
      this.#fencing = false;
      if (this.#fence !== null) this.#gl.deleteSync(this.#fence);
      this.#fence = this.#gl.fenceSync(this.#gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
      this.#gl.flush();
    });
  }

  draw(target: CanvasRenderingContext2D, drawable: Drawable): void {
    this.#fenceLater();
    const { background, light } = drawable;
    const { width, height } = target.canvas;
    if (background.surface === null || width === 0 || height === 0) return;
    const gl = this.#gl;
    // The stage only grows: changing its size is dear.
    if (this.#stage.width < width) this.#stage.width = width;
    if (this.#stage.height < height) this.#stage.height = height;
    const held = this.#hold(background);
    this.#upload(held, drawable, background.surface);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, held.picture);
    gl.activeTexture(gl.TEXTURE2);
    gl.bindTexture(gl.TEXTURE_2D, held.cells);
    gl.viewport(0, 0, width, height);
    gl.uniform2f(this.#uniforms.target, width, height);
    gl.uniform2f(this.#uniforms.size, background.widthPx, background.heightPx);
    gl.uniform1f(this.#uniforms.blockPx, background.blockPx);
    gl.uniform1i(this.#uniforms.lit, light === null ? 0 : 1);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    target.imageSmoothingEnabled = false;
    target.drawImage(this.#stage, 0, this.#stage.height - height, width, height, 0, 0, width, height);
  }

  release(background: BackgroundPicture): void {
    const held = this.#held.get(background);
    if (held === undefined) return;
    for (const texture of [held.picture, held.blocks, held.cells]) this.#gl.deleteTexture(texture);
    this.#held.delete(background);
  }

  #hold(background: BackgroundPicture): Held {
    const known = this.#held.get(background);
    if (known !== undefined) return known;
    const gl = this.#gl;
    const held: Held = {
      picture: texture(gl, gl.LINEAR),
      blocks: texture(gl, gl.NEAREST),
      cells: texture(gl, gl.NEAREST),
      revision: -1,
      light: null,
      size: "",
    };
    this.#held.set(background, held);
    return held;
  }

  #upload(held: Held, { background, cover, light, nowMs }: Drawable, surface: OffscreenCanvas): void {
    const gl = this.#gl;
    if (held.revision !== background.revision) {
      gl.activeTexture(gl.TEXTURE0);
      gl.bindTexture(gl.TEXTURE_2D, held.picture);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, surface);
      // Big pictures are often looked at small; without smaller copies thin things flicker.
      const size = `${background.widthPx}x${background.heightPx}`;
      if (background.widthPx > SMALL_PX) {
        gl.generateMipmap(gl.TEXTURE_2D);
        if (held.size !== size) gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
      }
      held.size = size;
      held.revision = background.revision;
    }
    if (light !== null && held.light !== light) {
      gl.activeTexture(gl.TEXTURE2);
      gl.bindTexture(gl.TEXTURE_2D, held.cells);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RG32F, light.columns, light.rows, 0, gl.RG, gl.FLOAT, lightCells(light));
      held.light = light;
    }
    const revealing = background.revealing(nowMs);
    const blocks = new Uint8Array(2 * background.columns * background.rows);
    for (let row = 0, block = 0; row < background.rows; row++) {
      for (let column = 0; column < background.columns; column++, block++) {
        blocks[2 * block] =
          background.proven[block] !== 1 ? 0 : revealing ? revealed(nowMs - (background.provenAtMs[block] ?? 0)) : 255;
        if (cover !== null && bitAt(cover, row, column)) blocks[2 * block + 1] = 255;
      }
    }
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, held.blocks);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RG8, background.columns, background.rows, 0, gl.RG, gl.UNSIGNED_BYTE, blocks);
  }
}

const SMALL_PX = 600;

/** Chromium gives a context drawn by the processor to whoever asked for none: it is told by its name. */
function drawnByProcessor(gl: WebGL2RenderingContext): boolean {
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const name: unknown = gl.getParameter(names === null ? gl.RENDERER : names.UNMASKED_RENDERER_WEBGL);
  return typeof name === "string" && isProcessor(name);
}

/** Whether a renderer of that name has no graphics card. */
export function isProcessor(renderer: string): boolean {
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
}

/** How far (0..255) a block has appeared, `sinceMs` after it was pasted. */
function revealed(sinceMs: number): number {
  const part = Math.min(1, Math.max(0, sinceMs / REVEAL_MS));
  return Math.max(1, Math.round(255 * (1 - (1 - part) ** 3)));
}

function texture(gl: WebGL2RenderingContext, filter: number): WebGLTexture {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, filter);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return made;
}

function link(gl: WebGL2RenderingContext): WebGLProgram | null {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(type);
    if (shader === null) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) === true ? program : null;
}
