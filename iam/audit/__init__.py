"""The audit features: findings, frameworks, access reviews and evidence. Only the console imports this
package.
"""
