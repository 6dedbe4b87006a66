// Draws replays of one load, one policy beside the other: what arrived, how large the crew was, how long events waited and, where that
// says something, how long they were worked on. The panels share their axis of time.
import * as echarts from "echarts"
import type { Point, Replay } from "effect-collector/ScalingReplay"

export interface Run {
  readonly policy: string
  readonly replay: Replay
}

export interface Panel {
  readonly title: string
  readonly value: (point: Point) => number
  /** Of the load, the same for each policy. */
  readonly isLoad?: boolean
  /** Constant between two points. */
  readonly isStep?: boolean
}

export const arrivals: Panel = { title: "Arrivals (events per second)", value: ({ rate }) => rate, isLoad: true }
export const size: Panel = { title: "Crew (consumers)", value: ({ size }) => size, isStep: true }
export const wait: Panel = { title: "Mean wait (seconds)", value: ({ wait }) => wait / 1000 }
export const service: Panel = { title: "Mean service time (seconds)", value: ({ service }) => service / 1000 }

const width = 800
const panelHeight = 120
const panelSpace = panelHeight + 52
const firstPanel = 84
const margin = { left: 64, right: 24, bottom: 52 }

const background = "#ffffff"
const ink = "#1f2328"
const grid = "#e4e8ec"
const loadColor = "#57606a"
// Okabe and Ito's blue and vermilion, which can be told apart by everybody; the second is drawn thinly on the first, so that
// both are seen where they agree.
const lines: Record<string, { readonly color: string; readonly width: number }> = {
  little: { color: "#0072b2", width: 4 },
  gradient: { color: "#d55e00", width: 1.75 }
}
const font = { fontFamily: "Helvetica, Arial, sans-serif", color: ink }

export const draw = (panels: ReadonlyArray<Panel>, runs: ReadonlyArray<Run>): string => {
  const height = firstPanel + panels.length * panelSpace - (panelSpace - panelHeight) + margin.bottom
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height })
  const seconds = Math.round(runs[0]!.replay.points.at(-1)!.at / 1000)
  chart.setOption({
    animation: false,
    backgroundColor: background,
    textStyle: { ...font, fontSize: 13 },
    legend: {
      top: 14,
      left: margin.left,
      itemWidth: 26,
      itemGap: 28,
      textStyle: { ...font, fontSize: 15 },
      data: runs.map(({ policy }) => ({ name: policy, icon: "rect" })),
      itemHeight: 4,
      selectedMode: false
    },
    title: panels.map(({ title }, index) => ({
      text: title,
      left: margin.left - 6,
      top: firstPanel + index * panelSpace - 30,
      textStyle: { ...font, fontSize: 14, fontWeight: "bold" }
    })),
    grid: panels.map((_, index) => ({
      left: margin.left,
      right: margin.right,
      top: firstPanel + index * panelSpace,
      height: panelHeight
    })),
    xAxis: panels.map((_, index) => {
      const isLast = index === panels.length - 1
      return {
        type: "value",
        gridIndex: index,
        min: 0,
        max: seconds,
        name: isLast ? "Time (seconds)" : "",
        nameLocation: "middle",
        nameGap: 30,
        nameTextStyle: { ...font, fontSize: 14 },
        axisLabel: { show: isLast, ...font, fontSize: 13 },
        axisTick: { show: isLast },
        axisLine: { lineStyle: { color: ink } },
        splitLine: { lineStyle: { color: grid } }
      }
    }),
    yAxis: panels.map((_, index) => ({
      type: "value",
      gridIndex: index,
      min: 0,
      splitNumber: 3,
      axisLabel: { ...font, fontSize: 13 },
      splitLine: { lineStyle: { color: grid } }
    })),
    series: panels.flatMap((panel, index) =>
      (panel.isLoad === true ? runs.slice(0, 1) : runs).map(({ policy, replay }) => {
        const { color, width } = panel.isLoad === true ? { color: loadColor, width: 1.5 } : lines[policy]!
        return {
          type: "line",
          name: panel.isLoad === true ? panel.title : policy,
          xAxisIndex: index,
          yAxisIndex: index,
          showSymbol: false,
          step: panel.isStep === true ? "end" : false,
          lineStyle: { color, width, join: "round" },
          itemStyle: { color },
          areaStyle: panel.isLoad === true ? { color, opacity: 0.15 } : undefined,
          data: replay.points.map((point) => [point.at / 1000, Number(panel.value(point).toFixed(3))])
        }
      })
    )
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  // Classes are for pointers that hover, and like ids they count what was drawn before.
  return `${svg.replaceAll(/ class="[^"]*"|<style[\s\S]*?<\/style>\n?/g, "").replaceAll(/zr\d+-/g, "zr-")}\n`
}
