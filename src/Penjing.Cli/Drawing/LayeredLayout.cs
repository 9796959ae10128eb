namespace Penjing.Cli;

/// <summary>A rectangle of a drawing, in pixels; y grows downwards.</summary>
internal readonly record struct Place(double Left, double Top, double Width, double Height)
{
    /// <summary>The middle between left and right.</summary>
    public double Centre => Left + Width / 2;

    /// <summary>The lower edge.</summary>
    public double Bottom => Top + Height;
}

/// <summary>One stretch of an edge: straight down, or a curve between two rows that leaves and arrives straight down.</summary>
internal readonly record struct Stretch(double X1, double Y1, double X2, double Y2);

/// <summary>
/// A layered drawing of a graph without cycles, inputs above (Sugiyama, Tagawa and Toda 1981): boxes stand in rows, edges of several rows pass between
/// the boxes of the rows in the middle, and the longest ways run straight down.
/// </summary>
/// <param name="Width">The drawing's width.</param>
/// <param name="Height">The drawing's height.</param>
/// <param name="Boxes">Where each box stands, in the given order; no two overlap.</param>
/// <param name="Edges">The stretches of each edge, in the given order, from above to below; none runs through a box.</param>
internal sealed record LayeredLayout(double Width, double Height, IReadOnlyList<Place> Boxes, IReadOnlyList<IReadOnlyList<Stretch>> Edges)
{
    private const double BetweenBoxes = 26, BetweenLines = 14, BetweenRows = 30, MostBetweenRows = 84, PortReach = 0.3;
    private const int Sweeps = 12;

    /// <summary>The drawing of boxes of these sizes and of edges between them; an edge goes from a box to a later one.</summary>
    public static LayeredLayout Of(IReadOnlyList<(double Width, double Height)> boxes, IReadOnlyList<(int From, int To)> edges) =>
        new Builder(boxes, edges).Build();

    /// <summary>A box, or the place where an edge's line passes a row; lines of edges from one box share it.</summary>
    private sealed class Point(int row, double width, double height)
    {
        public int Row => row;
        public double Width => width;
        public double Height => height;
        public bool IsLine => height == 0;
        public List<Point> Above { get; } = [];
        public List<Point> Below { get; } = [];
        public double X { get; set; }
        public int Order { get; set; }

        /// <summary>How firmly it stands where it would stand best: the longest ways before side branches before lines.</summary>
        public double Weight { get; set; }
    }

    private sealed class Builder(IReadOnlyList<(double Width, double Height)> boxes, IReadOnlyList<(int From, int To)> edges)
    {
        private readonly Point[] points = new Point[boxes.Count];
        private readonly Dictionary<(int Box, int Row), Point> lines = [];
        private Point[][] rows = [];

        public LayeredLayout Build()
        {
            PlaceRows();
            Connect();
            Order();
            for (int sweep = 0; sweep < 3; sweep++) Align();
            return Draw();
        }

        /// <summary>Each box below all that it reads; what reads nothing stands right above its first reader.</summary>
        private void PlaceRows()
        {
            int[] row = new int[boxes.Count], left = new int[boxes.Count];
            HashSet<int> reading = [.. edges.Select(edge => edge.To)];
            foreach ((int from, int to) in edges.OrderBy(edge => edge.To)) row[to] = Math.Max(row[to], row[from] + 1);
            foreach (var readers in edges.Where(edge => !reading.Contains(edge.From)).GroupBy(edge => edge.From)) row[readers.Key] =
                readers.Min(edge => row[edge.To]) - 1;
            foreach ((int from, int to) in edges.OrderByDescending(edge => edge.From)) left[from] = Math.Max(left[from], left[to] + 1);
            int last = boxes.Count == 0 ? 0 : Enumerable.Range(0, boxes.Count).Max(box => row[box] + left[box]);
            for (int box = 0; box < boxes.Count; box++)
                points[box] = new(row[box], boxes[box].Width, boxes[box].Height) { Weight = row[box] + left[box] == last ? 1e8 : 1e4 };
        }

        /// <summary>Lines for edges over several rows, and who stands above whom.</summary>
        private void Connect()
        {
            foreach ((int from, int to) in edges)
            {
                Point above = points[from];
                for (int row = points[from].Row + 1; row < points[to].Row; row++)
                {
                    if (!lines.TryGetValue((from, row), out Point? line))
                    {
                        line = lines[(from, row)] = new(row, 0, 0) { Weight = 1 };
                        Join(above, line);
                    }
                    above = line;
                }
                Join(above, points[to]);
            }
            rows = [.. points.Concat(lines.Values).GroupBy(point => point.Row).OrderBy(row => row.Key).Select(row => row.ToArray())];
            Number();

            static void Join(Point above, Point below)
            {
                above.Below.Add(below);
                below.Above.Add(above);
            }
        }

        /// <summary>Sorts each row by the mean place of its neighbours in the row above, then below, and keeps the order of fewest crossings.</summary>
        private void Order()
        {
            Point[][] best = [.. rows.Select(row => row.ToArray())];
            long fewest = Crossings();
            for (int sweep = 0; sweep < Sweeps && fewest > 0; sweep++)
            {
                for (int at = 0; at < rows.Length; at++)
                {
                    int row = sweep % 2 == 0 ? at : rows.Length - 1 - at;
                    rows[row] = [.. rows[row].OrderBy(point => Mean(sweep % 2 == 0 ? point.Above : point.Below, point))];
                    Number(row);
                }
                long crossings = Crossings();
                if (crossings >= fewest) continue;
                (fewest, best) = (crossings, [.. rows.Select(row => row.ToArray())]);
            }
            rows = best;
            Number();

            static double Mean(List<Point> neighbours, Point point) => neighbours.Count == 0 ? point.Order : neighbours.Average(other => (double)other.Order);
        }

        private long Crossings()
        {
            long crossings = 0;
            foreach (Point[] row in rows)
            {
                (int From, int To)[] down = [.. row.SelectMany(point => point.Below.Select(below => (point.Order, below.Order))).Order()];
                for (int i = 0; i < down.Length; i++)
                    for (int j = i + 1; j < down.Length; j++)
                        if (down[i].From < down[j].From && down[i].To > down[j].To) crossings++;
            }
            return crossings;
        }

        private void Number()
        {
            for (int row = 0; row < rows.Length; row++) Number(row);
        }

        private void Number(int row)
        {
            for (int i = 0; i < rows[row].Length; i++) rows[row][i].Order = i;
        }

        /// <summary>
        /// Row by row, each point under the firmest of what stands above it, as far as the order and the gaps allow: the weighted least squares under
        /// these bounds, by pooling neighbours that would collide.
        /// </summary>
        private void Align()
        {
            foreach (Point[] row in rows)
            {
                double[] offset = new double[row.Length];
                for (int i = 1; i < row.Length; i++)
                    offset[i] = offset[i - 1] + (row[i - 1].Width + row[i].Width) / 2 + (row[i - 1].IsLine && row[i].IsLine ? BetweenLines : BetweenBoxes);
                List<(double Sum, double Weight, int Count)> pools = [];
                for (int i = 0; i < row.Length; i++)
                {
                    double weight = row[i].Weight;
                    (double Sum, double Weight, int Count) pool = ((Wish(row[i]) - offset[i]) * weight, weight, 1);
                    while (pools.Count > 0 && pools[^1].Sum / pools[^1].Weight > pool.Sum / pool.Weight)
                    {
                        pool = (pool.Sum + pools[^1].Sum, pool.Weight + pools[^1].Weight, pool.Count + pools[^1].Count);
                        pools.RemoveAt(pools.Count - 1);
                    }
                    pools.Add(pool);
                }
                int next = 0;
                foreach ((double sum, double weight, int count) in pools)
                    for (int i = 0; i < count; i++, next++) row[next].X = Math.Round(sum / weight + offset[next]);
            }
        }

        private static double Wish(Point point)
        {
            List<Point> guides = point.Above.Count > 0 ? point.Above : point.Below;
            if (guides.Count == 0) return point.X;
            double firmest = guides.Max(guide => guide.Weight);
            return guides.Where(guide => guide.Weight == firmest).Average(guide => guide.X);
        }

        private LayeredLayout Draw()
        {
            double left = points.Concat(lines.Values).Select(point => point.X - point.Width / 2).DefaultIfEmpty().Min();
            double[] top = new double[rows.Length], height = [.. rows.Select(row => row.Max(point => point.Height))];
            for (int row = 1; row < rows.Length; row++)
            {
                double aside = rows[row].SelectMany(point => point.Above.Select(above => Math.Abs(above.X - point.X))).DefaultIfEmpty().Max();
                top[row] = top[row - 1] + height[row - 1] + Math.Min(BetweenRows + 0.08 * aside, MostBetweenRows);
            }
            Place[] places = [.. points.Select(point => new Place(point.X - point.Width / 2 - left, top[point.Row] + (height[point.Row] - point.Height) / 2,
                point.Width, point.Height))];
            double width = points.Concat(lines.Values).Select(point => point.X + point.Width / 2 - left).DefaultIfEmpty().Max();
            return new(width, rows.Length == 0 ? 0 : top[^1] + height[^1], places, [.. edges.Select(edge => Route(edge.From, edge.To))]);

            IReadOnlyList<Stretch> Route(int from, int to)
            {
                List<Stretch> stretches = [];
                Point first = points[from], last = points[to];
                Point[] way = [first, .. Enumerable.Range(first.Row + 1, last.Row - first.Row - 1).Select(row => lines[(from, row)]), last];
                double x = Port(first, way[1].X), y = places[from].Bottom;
                for (int i = 1; i < way.Length; i++)
                {
                    int row = way[i].Row;
                    double rowAbove = top[row - 1] + height[row - 1], arrival = i == way.Length - 1 ? Port(last, way[i - 1].X) : way[i].X - left;
                    if (rowAbove > y) stretches.Add(new(x, y, x, rowAbove));
                    stretches.Add(new(x, rowAbove, arrival, top[row]));
                    (x, y) = (arrival, top[row]);
                }
                if (places[to].Top > y) stretches.Add(new(x, y, x, places[to].Top));
                return stretches;
            }

            // Where an edge leaves or enters a box: towards the other end, so that several don't meet in one point.
            double Port(Point box, double other) => box.X - left + Math.Clamp((other - box.X) * 0.25, -PortReach * box.Width, PortReach * box.Width);
        }
    }
}
