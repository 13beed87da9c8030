"use strict";
// Unpacks the numbers in #data and draws what the controls say. No state but theirs, the chosen
// cell's, and both in the address after "#", so that a view can be kept and sent.
(async () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const INK = "#22303a";
  const BESIDE = { wide: 54, high: 126 }; // pixels of the map's box that axes and bar take
  const CONTROLS = ["quantity", "experiment", "season", "period", "layer", "dots"];

  const script = document.createElement("script");
  script.textContent = await inflated(at("plotly").textContent).text();
  document.head.append(script);
  for (const one of data.experiments) {
    for (const name of ["rate", "significance", "low", "high", "change", "series"]) {
      if (one[name]) one[name] = await unpack(one[name]);
    }
  }

  const cells = data.cells;
  const columns = data.lon.length;
  const place = new Map(cells.map((flat, i) => [flat, i]));
  const step = Math.abs(data.lon[1] - data.lon[0]);
  const area = cells.map((flat) => Math.cos((data.lat[Math.floor(flat / columns)] * Math.PI) / 180));
  const least = (list) => list.reduce((one, other) => Math.min(one, other));
  const most = (list) => list.reduce((one, other) => Math.max(one, other));
  const around = (axis, places) => [axis[least(places)] - 2 * step, axis[most(places)] + 2 * step];
  const lats = around(data.lat, cells.map((flat) => Math.floor(flat / columns)));
  const lons = around(data.lon, cells.map((flat) => flat % columns));
  const ratio = 1 / Math.cos((((lats[0] + lats[1]) / 2) * Math.PI) / 180);
  let chosen = null;

  // The C numbers of one map: every index but the last is given.
  const row = (array, ...index) => cells.map((_, i) => value(array, i, ...index));

  function fill(id, options, wanted) {
    const select = at(id);
    const before = wanted ?? select.value;
    select.replaceChildren(...options.map(({ key, title }) => new Option(title, key)));
    if (options.some(({ key }) => String(key) === before)) select.value = before;
  }

  const experiment = () => data.experiments.find(({ key }) => key === at("experiment").value);
  const seasonIndex = () => data.seasons.findIndex(({ key }) => key === at("season").value);
  const layerIndex = () => Number(at("layer").value);
  const coarse = matchMedia("(pointer: coarse)").matches; // a finger: it scrolls the page
  function number(x, digits = 2) {
    if (!Number.isFinite(x)) return "\u2013";
    const written = Math.abs(x).toFixed(digits);
    return Number(written) === 0 ? written : (x < 0 ? "\u2212" : "+") + written;
  }

  function refresh(kept = {}) {
    const one = experiment();
    const change = at("quantity").querySelector("[value=change]");
    change.disabled = !one.change;
    if (!one.change) at("quantity").value = "rate";
    const changes = at("quantity").value === "change";
    const periods = changes ? one.changePeriods : one.periods;
    const wanted = kept.period ?? at("period").value;
    const last = changes ? periods[periods.length - 1].key : one.main;
    fill("period", periods, periods.some(({ key }) => key === wanted) ? wanted : last);
    at("dots").disabled = changes;
  }

  function shown() {
    const one = experiment();
    const [s, d] = [seasonIndex(), layerIndex()];
    if (at("quantity").value === "change") {
      const f = one.changePeriods.findIndex(({ key }) => key === at("period").value);
      return {
        values: row(one.change, s, f, d), levels: data.changeLevels, unit: "%", digits: 1,
        what: `Change, ${one.changePeriods[f].title} against ${one.reference}`,
      };
    }
    const p = one.periods.findIndex(({ key }) => key === at("period").value);
    return {
      values: row(one.rate, s, p, d), levels: one.periods[p].levels, unit: data.rateUnit, digits: 2,
      low: one.low && row(one.low, s, p, d), high: one.high && row(one.high, s, p, d),
      marks: row(one.significance, s, p, d), what: "Sen slope, " + one.periods[p].title,
    };
  }

  function tested(view, i) {
    if (!view.marks) return "";
    const mark = view.marks[i];
    if (!Number.isFinite(mark)) return "not tested";
    const plain = mark & 1 ? "significant" : "not significant";
    if (!data.field) return plain;
    const also = (mark & 1) === (mark >> 1) ? "and" : "but";
    return `${plain} by the plain test, ${also} ${mark & 2 ? "significant" : "not"} with memory and over the field`;
  }

  function words(view, i) {
    const flat = cells[i];
    const lat = data.lat[Math.floor(flat / columns)];
    const lon = data.lon[flat % columns];
    const where = `${Math.abs(lat)}\u00b0${lat < 0 ? "S" : "N"} ${Math.abs(lon)}\u00b0${lon < 0 ? "W" : "E"}`;
    const ends = view.low && Number.isFinite(view.low[i])
      ? ` [${number(view.low[i], view.digits)}, ${number(view.high[i], view.digits)}]` : "";
    return { where, said: `${number(view.values[i], view.digits)}${ends} ${view.unit}`, tests: tested(view, i) };
  }

  // Colours change at the levels of the printed maps; the outermost reach to -end and end.
  function colourscale(levels, end) {
    const edges = [-end, ...levels, end].map((level) => (level + end) / (2 * end));
    return data.colours.flatMap((colour, i) => [[edges[i], colour], [edges[i + 1], colour]]);
  }

  const mark = () => ({ x: [data.lon[cells[chosen] % columns]], y: [data.lat[Math.floor(cells[chosen] / columns)]] });

  // As high as the map is at the width of its box; the page's own style bounds it.
  function fit() {
    const high = ((at("map").clientWidth - BESIDE.wide) * ratio * (lats[1] - lats[0])) / (lons[1] - lons[0]);
    at("map").style.height = `${Math.round(high + BESIDE.high)}px`;
  }

  function draw() {
    const view = shown();
    const z = data.lat.map(() => new Array(columns).fill(null));
    const text = data.lat.map(() => new Array(columns).fill(""));
    const dots = { x: [], y: [] };
    const wanted = Number(at("dots").value);
    let wetter = 0, drier = 0, marked = 0, known = 0;
    cells.forEach((flat, i) => {
      const value = view.values[i];
      if (!Number.isFinite(value)) return;
      const [r, c] = [Math.floor(flat / columns), flat % columns];
      const said = words(view, i);
      z[r][c] = value;
      text[r][c] = `${said.where}<br>${said.said}${said.tests ? "<br>" + said.tests : ""}`;
      known += area[i];
      if (value > 0) wetter += area[i];
      if (value < 0) drier += area[i];
      if (view.marks && view.marks[i] & wanted) {
        marked += area[i];
        dots.x.push(data.lon[c]);
        dots.y.push(data.lat[r]);
      }
    });
    const pixels = ((at("map").clientWidth - BESIDE.wide) * step) / (lons[1] - lons[0]); // of a cell
    const bar = 1.2 * view.levels[view.levels.length - 1];
    const traces = [
      {
        type: "heatmap", x: data.lon, y: data.lat, z, text, hoverinfo: "text", hoverongaps: false,
        zmin: -bar, zmax: bar, colorscale: colourscale(view.levels, bar),
        colorbar: { orientation: "h", y: -0.12, yanchor: "top", thickness: 12, len: 0.9, title: { text: view.unit, side: "bottom", font: { size: 12 } } },
      },
      {
        type: "scatter", mode: "markers", x: dots.x, y: dots.y, hoverinfo: "skip", showlegend: false,
        marker: { size: Math.max(0.9, Math.min(2.6, 0.35 * pixels)), color: "#000" },
      },
      ...data.outlines.map((one) => ({
        type: "scatter", mode: "lines", x: one.lon, y: one.lat, hoverinfo: "skip", showlegend: false,
        line: { color: INK, width: 1 }, connectgaps: false,
      })),
    ];
    traces.push({
      type: "scatter", mode: "markers", ...mark(), hoverinfo: "skip", showlegend: false,
      marker: { symbol: "square-open", size: 12, color: "#d1495b", line: { width: 2.5 } },
    });
    Plotly.react("map", traces, {
      margin: { l: 46, r: 8, t: 26, b: 8 }, paper_bgcolor: "#fff", plot_bgcolor: "#fff",
      uirevision: "kept", dragmode: coarse ? false : "zoom",
      font: { color: INK, size: 12 }, hoverlabel: { align: "left", bgcolor: "#fff", font: { color: INK } },
      xaxis: { range: lons, ticksuffix: "\u00b0", zeroline: false, showgrid: false, constrain: "domain" },
      yaxis: { range: lats, ticksuffix: "\u00b0", zeroline: false, showgrid: false, scaleanchor: "x", scaleratio: ratio, constrain: "domain" },
    }, {
      // A browser tells a tap twice, as touch and as click: plotly takes the two for a double click.
      doubleClick: coarse ? false : "reset",
      responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    });
    const total = area.reduce((sum, one) => sum + one, 0);
    const share = (x) => Math.round((100 * x) / total) + " %";
    const season = data.seasons[seasonIndex()].title;
    const names = { 1: "a significant trend in ", 2: "a trend that holds with memory and over the field in " };
    at("told").textContent =
      `${experiment().title}, ${season}, ${data.layers[layerIndex()]}. ${view.what}: `
      + `above 0 in ${share(wetter)} of the regions' area, below in ${share(drier)}`
      + (known < 0.999 * total ? `, unknown in ${share(total - known)}` : "")
      + (view.marks && wanted ? `; ${names[wanted]}${share(marked)}.` : ".");
    at("map").setAttribute("aria-label", at("told").textContent);
    keep();
  }

  function series(i) {
    const view = shown();
    const said = words(view, i);
    at("cell").textContent = `${said.where}: ${said.said}${said.tests ? ", " + said.tests : ""}.`;
    const key = data.seriesSeasons.includes(at("season").value) ? at("season").value : data.seriesSeasons[0];
    const s = data.seriesSeasons.indexOf(key);
    const traces = data.experiments.map((one) => {
      const y = one.years.map((_, k) => value(one.series, i, s, layerIndex(), k));
      const own = one.key === at("experiment").value;
      return {
        type: "scatter", mode: "lines", name: one.title, x: one.years, y,
        line: { color: one.colour, width: own ? 3 : 1.4 }, opacity: own ? 1 : 0.65,
        hovertemplate: "%{y:.4f}",
      };
    });
    const title = data.seasons.find((one) => one.key === key).title;
    Plotly.react("series", traces, {
      uirevision: "kept", dragmode: coarse ? false : "zoom",
      margin: { l: 52, r: 8, t: 28, b: 36 }, font: { color: INK, size: 12 }, hovermode: "x unified",
      title: { text: `${title}, ${data.layers[layerIndex()]}, means of ${data.seriesYears} years`, font: { size: 13 }, x: 0.02, xanchor: "left", y: 0.98, yanchor: "top" },
      yaxis: { title: { text: data.unit }, gridcolor: "#e4e8eb", tickformat: ".3f" }, xaxis: { gridcolor: "#e4e8eb", dtick: 25 },
      legend: { orientation: "h", y: -0.12 },
    }, { responsive: true, displayModeBar: false });
    at("series").setAttribute("aria-label", "Series of the cell at " + said.where);
  }

  function keep() {
    const said = new URLSearchParams(CONTROLS.map((id) => [id, at(id).value]));
    said.set("cell", cells[chosen]);
    history.replaceState(null, "", "#" + said);
  }

  function pointed(event) {
    const { x, y } = event.points[0];
    const flat = data.lat.indexOf(y) * columns + data.lon.indexOf(x);
    return place.get(flat) ?? null;
  }

  const kept = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  fill("experiment", data.experiments, kept.experiment ?? data.experiments.at(-1).key);
  fill("season", data.seasons, kept.season);
  fill("layer", data.layers.map((title, i) => ({ key: i, title })), kept.layer);
  for (const id of ["quantity", "dots"]) {
    if ([...at(id).options].some(({ value }) => value === kept[id])) at(id).value = kept[id];
  }
  if (place.has(Number(kept.cell)) && kept.cell !== undefined) chosen = place.get(Number(kept.cell));
  if (!data.field) at("dots").querySelector("[value='2']").remove();
  refresh(kept);
  chosen = chosen ?? Math.floor(cells.length / 2);
  fit();
  addEventListener("resize", fit);
  draw();
  series(chosen);
  at("map").on("plotly_hover", (event) => {
    const i = pointed(event);
    if (i !== null) series(i);
  });
  at("map").on("plotly_unhover", () => series(chosen));
  function choose(i) {
    if (i === null) return;
    chosen = i;
    const { x, y } = mark();
    Plotly.restyle("map", { x: [x], y: [y] }, [at("map").data.length - 1]);
    keep();
    series(i);
  }
  at("map").on("plotly_click", (event) => choose(pointed(event)));
  // The next cell of the regions in the arrow's direction, over gaps between them.
  const ARROWS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [1, 0], ArrowDown: [-1, 0] };
  at("map").addEventListener("keydown", (event) => {
    const way = ARROWS[event.key];
    if (!way) return;
    event.preventDefault();
    let [r, c] = [Math.floor(cells[chosen] / columns) + way[0], (cells[chosen] % columns) + way[1]];
    while (r >= 0 && r < data.lat.length && c >= 0 && c < columns) {
      if (place.has(r * columns + c)) return choose(place.get(r * columns + c));
      r += way[0];
      c += way[1];
    }
  });
  at("controls").addEventListener("change", () => {
    refresh();
    draw();
    series(chosen);
  });
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  performance.mark("drawn");
  document.body.dataset.ready = "yes";
})().catch((error) => {
  document.getElementById("told").textContent =
    "This browser cannot unpack the map's numbers (" + error.message + "). The pages of the scenarios show the same maps as pictures.";
});
