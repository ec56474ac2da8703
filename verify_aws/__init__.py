"""`make verify-aws`: the loop that the sandbox runs in the tests, on a real account; what it made goes at the end.

It types the commands that people type, looks with boto3, and compares what AWS answers with what the sandbox assumes.
"""
