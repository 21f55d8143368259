//go:build linux

package main

import (
	"bytes"
	"fmt"
	"image/color"
	"os"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// draw writes a bar for each program's median, with its quartiles, as SVG.
func draw(path string, subjects []subject, all map[string]series) error {
	p := plot.New()
	p.Title.Text = "One get from gnome-keyring: median and quartiles"
	p.X.Label.Text = "milliseconds, whole process"
	p.X.Min = 0
	names := make([]string, len(subjects))
	for i, s := range subjects {
		y := len(subjects) - 1 - i // the first one on top
		names[y] = s.name
		if err := addBar(p, float64(y), all[s.name].wall(), s.name == ours); err != nil {
			return fmt.Errorf("draw %s: %w", s.name, err)
		}
	}
	p.NominalY(names...)
	p.Y.Tick.Label.Font.Size = 14 // see smaller
	picture, err := p.WriterTo(8*vg.Inch, 3.6*vg.Inch, "svg")
	if err != nil {
		return err
	}
	var svg bytes.Buffer
	if _, err := picture.WriteTo(&svg); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(smaller.Replace(svg.String())), 0o644)
}

// smaller makes room for fonts that run wider than the one by which the names
// are placed, since few have that one.
var smaller = strings.NewReplacer("Liberation Serif", "Liberation Serif,Times New Roman,serif",
	"font-size:14px", "font-size:10px")

func addBar(p *plot.Plot, y float64, q quartiles, highlight bool) error {
	bar, err := plotter.NewBarChart(plotter.Values{q.median}, vg.Points(18))
	if err != nil {
		return err
	}
	bar.Horizontal, bar.XMin, bar.LineStyle.Width = true, y, 0
	bar.Color = color.Gray{Y: 0xb0}
	if highlight {
		bar.Color = color.RGBA{R: 0x37, G: 0x5b, B: 0xd2, A: 0xff}
	}
	whisker, err := plotter.NewXErrorBars(errorBar{
		XYs:     plotter.XYs{{X: q.median, Y: y}},
		XErrors: plotter.XErrors{{Low: q.median - q.low, High: q.high - q.median}},
	})
	if err != nil {
		return err
	}
	label, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: q.high, Y: y}}, Labels: []string{fmt.Sprintf("%.1f", q.median)}})
	if err != nil {
		return err
	}
	label.Offset = vg.Point{X: vg.Points(4)}
	label.TextStyle[0].YAlign = text.YCenter
	p.Add(bar, whisker, label)
	p.X.Max = max(p.X.Max, q.high*1.1)
	return nil
}

// errorBar is the one interface that plotter.NewXErrorBars takes.
type errorBar struct {
	plotter.XYs
	plotter.XErrors
}
