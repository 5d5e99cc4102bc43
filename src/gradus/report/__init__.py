"""Reports: the climb that trains every rung of the ladder, and the page that shows a climb or a single run.

ladder.py says what the rungs are and how each is trained; climb.py climbs them, on the task that task.py prepares,
watched by onlooker.py; examine.py scores what was trained, yardsticks.py what needs no training, diagnose.py draws what
it looks like inside; record.py holds what came out; compare.py says it in sentences; table.py writes it on a terminal
and page.py, with card.py, chart.py, colors.py, explain.py, picture.py and markup.py, as HTML.
"""
