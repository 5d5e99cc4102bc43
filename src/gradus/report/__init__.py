"""Reports: the climb that trains every rung of the ladder, and the page that shows a climb or a single run.

ladder.py says what the rungs are and how each is trained; climb.py climbs them, on the task that task.py prepares;
examine.py scores what was trained; record.py holds what came out; table.py writes it on a terminal and page.py, with
card.py, chart.py, explain.py and markup.py, as HTML.
"""
