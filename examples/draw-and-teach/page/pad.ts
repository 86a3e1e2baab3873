import type { Drawing, Point } from '../src/strokes.js';
import { KeyboardCursor } from './keyboardCursor.js';

/** The pen's width as a share of the pad's. */
const PEN = 0.045;

/**
 * A canvas to draw on by mouse, touch, pen or keyboard. Points are in the canvas's own units; `onChange` is called with the
 * drawing once a frame while it changes.
 */
export class Pad {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #onChange: (drawing: Drawing) => void;
  readonly #cursor: KeyboardCursor;
  #strokes: Point[][] = [];
  /** The stroke that is being drawn, by the pointer or the keyboard. */
  #open: Point[] | null = null;
  /** The pointer that draws it: a second finger or a palm draws nothing. */
  #pointer: number | null = null;
  #isByKeyboard = false;
  #isScheduled = false;

  constructor(canvas: HTMLCanvasElement, onChange: (drawing: Drawing) => void) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d')!;
    this.#onChange = onChange;
    this.#cursor = new KeyboardCursor(canvas.width, canvas.height, canvas.width / 56);
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    for (const end of ['pointerup', 'pointercancel'] as const) {
      canvas.addEventListener(end, (event) => this.#lift(event));
    }
    canvas.addEventListener('keydown', (event) => this.#key(event));
    canvas.addEventListener('blur', () => this.#leaveKeyboard());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#paint());
    this.#paint();
  }

  /** The strokes so far. */
  get drawing(): Drawing {
    return this.#strokes;
  }

  clear(): void {
    this.#strokes = [];
    this.#open = null;
    this.#changed();
  }

  /** Takes the last stroke back. */
  undo(): void {
    this.#strokes = this.#strokes.slice(0, -1);
    this.#open = null;
    this.#changed();
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0 || this.#pointer !== null) return;
    event.preventDefault();
    this.#canvas.focus({ preventScroll: true });
    this.#canvas.setPointerCapture(event.pointerId);
    this.#pointer = event.pointerId;
    this.#isByKeyboard = false;
    this.#begin(this.#place(event));
  }

  #move(event: PointerEvent): void {
    if (!this.#open || this.#isByKeyboard || event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents();
    for (const each of events.length > 0 ? events : [event]) this.#open.push(this.#place(each));
    this.#changed();
  }

  #lift({ pointerId }: PointerEvent): void {
    if (pointerId !== this.#pointer) return;
    this.#pointer = null;
    if (!this.#isByKeyboard) this.#open = null;
  }

  #begin(point: Point): void {
    this.#open = [point];
    this.#strokes = [...this.#strokes, this.#open];
    this.#changed();
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (this.#cursor.move(event)) {
      this.#isByKeyboard = true;
      this.#open?.push(this.#at());
    } else if (key === ' ') {
      this.#isByKeyboard = true;
      if (this.#open) this.#open = null;
      else this.#begin(this.#at());
    } else if (key === 'Backspace') this.undo();
    else if (key === 'Delete') this.clear();
    else return;
    event.preventDefault();
    this.#changed();
  }

  #leaveKeyboard(): void {
    if (!this.#isByKeyboard) return;
    this.#isByKeyboard = false;
    this.#open = null;
    this.#changed();
  }

  #at(): Point {
    return [this.#cursor.x, this.#cursor.y];
  }

  /** Where an event is on the canvas, however large it is shown. */
  #place({ clientX, clientY }: PointerEvent): Point {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return [
      ((clientX - left) / width) * this.#canvas.width,
      ((clientY - top) / height) * this.#canvas.height,
    ];
  }

  #changed(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#paint();
      this.#onChange(this.#strokes);
    });
  }

  #paint(): void {
    const { width, height } = this.#canvas;
    const context = this.#context;
    context.clearRect(0, 0, width, height);
    context.strokeStyle = getComputedStyle(this.#canvas).color;
    context.lineCap = 'round';
    context.lineJoin = 'round';
    context.lineWidth = PEN * width;
    context.fillStyle = context.strokeStyle;
    for (const stroke of this.#strokes) {
      context.beginPath();
      context.moveTo(...stroke[0]);
      for (const point of stroke) context.lineTo(...point);
      context.stroke();
      // A line without length is not drawn: a tap is a dot all the same.
      context.beginPath();
      context.arc(...stroke[0], (PEN * width) / 2, 0, 2 * Math.PI);
      context.fill();
    }
    if (this.#isByKeyboard) this.#paintCursor();
  }

  #paintCursor(): void {
    const context = this.#context;
    const { x, y } = this.#cursor;
    context.lineWidth = 3;
    context.strokeStyle = this.#open ? '#d9480f' : '#1f6feb';
    context.beginPath();
    context.arc(x, y, 14, 0, 2 * Math.PI);
    context.moveTo(x - 22, y);
    context.lineTo(x + 22, y);
    context.moveTo(x, y - 22);
    context.lineTo(x, y + 22);
    context.stroke();
  }
}
